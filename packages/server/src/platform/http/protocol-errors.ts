import { ServerResponse, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import { DomainError } from '../edge/errors.ts';
import { newUuid } from '../ids.ts';
import { problemMessage } from '../edge/answers.ts';
import { isSocketPath, type Connections } from './connections.ts';

/**
 * Answers what Node would answer by itself, or not at all, with a problem: requests that do not parse or are too slow,
 * expectations, `CONNECT`, and upgrades to anything but a WebSocket of Socket.IO.
 */
export const answerProtocolErrors = (
  server: Server,
  deps: {
    connections: Connections;
    /** Whether a socket server answers the upgrades of its path. */
    hasSockets: boolean;
    listener: RequestListener;
    /** Answers a request through its response, with the headers that every answer has. */
    refuse: (req: IncomingMessage, res: ServerResponse, error: DomainError) => void;
    counted: (status: number) => void;
  },
): void => {
  const { connections, counted } = deps;

  const end = (socket: Duplex, error: DomainError, headers?: Readonly<Record<string, string>>) => {
    const message = problemMessage(error, newUuid(), headers);
    counted(Number(message.slice(9, 12)));
    socket.on('error', () => undefined);
    socket.end(message, () => socket.destroy());
  };

  const refused = new WeakSet<Duplex>();

  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Duplex) => {
    // Node reports each further chunk after an error as another one. The first refusal closes the connection.
    if (refused.has(socket)) return;
    refused.add(socket);
    if (!socket.writable || cause.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const error = errorOf(cause);
    const exchange = socket instanceof Socket ? connections.exchangeOf(socket) : undefined;
    if (!exchange || exchange.res.writableFinished) {
      end(socket, error);
    } else if (exchange.req.complete) {
      // Bytes after a request that is being answered; its answer goes first.
      exchange.res.once('finish', () => {
        end(socket, error);
      });
    } else if (exchange.res.headersSent) {
      socket.destroy();
    } else {
      exchange.res.setHeader('Connection', 'close');
      deps.refuse(exchange.req, exchange.res, error);
    }
  });

  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    deps.refuse(
      req,
      res,
      new DomainError('expectation-failed', { detail: 'Only `Expect: 100-continue` is understood.' }),
    );
  });

  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    const error = new DomainError('method-not-allowed', { detail: 'This server is no proxy.' });
    end(socket, error, { Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' });
  });

  server.on('upgrade', (req: IncomingMessage, socket: Duplex) => {
    if ((deps.hasSockets && isSocketPath(req)) || !(socket instanceof Socket)) return;
    socket.on('error', () => undefined);
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    socket.on('drain', () => res.emit('drain'));
    res.once('finish', () => {
      socket.destroySoon();
    });
    // A server may ignore an upgrade (RFC 9110 section 7.8): some clients offer HTTP/2 with every request. Node does not
    // hand over the body of such a request.
    if (hasBody(req))
      deps.refuse(
        req,
        res,
        new DomainError('malformed', { detail: 'A request with a body must not request an upgrade.' }),
      );
    else deps.listener(req, res);
  });
};

const hasBody = ({ headers }: IncomingMessage) =>
  'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;

const errorOf = ({ code }: NodeJS.ErrnoException): DomainError => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new DomainError('headers-too-large', {
        detail: 'URL and headers may have at most 16 KB together.',
      });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new DomainError('request-timeout', { detail: 'The request did not arrive in time.' });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new DomainError('payload-too-large', { detail: 'The chunk extensions are too long.' });
    default:
      return new DomainError('malformed', { detail: 'This is not a request of HTTP/1.1 (RFC 9112).' });
  }
};
