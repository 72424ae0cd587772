import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server as Engine, type Socket as EngineSocket } from 'engine.io';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { DomainError } from '../edge/errors.ts';
import { problemMessage } from '../edge/answers.ts';
import { clientAddress, truncatedAddress } from '../edge/client-address.ts';
import { isSocketPath } from '../http/connections.ts';
import type { OriginPolicy } from '../edge/origins.ts';
import { toDomainError } from '../edge/problem.ts';
import { refuseUrlTokens } from '../edge/query.ts';
import { newUuid } from '../ids.ts';
import { createConnectionCounts, networkShare, type ConnectionBounds } from '../limits/connection-counts.ts';
import { createRefusalLog } from '../limits/refusal-log.ts';
import { rateLimited, type RateLimits } from '../limits/rate-limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import { guardConnection, type ConnectionGuard } from './connection-guard.ts';
import { requireHandshake, requireSocketPath } from './handshake.ts';
import type { SocketMetrics } from './socket-metrics.ts';

export const frameLimitBytes = 64 * 1024;
/** Of one address, which may be a whole mobile carrier, and of this process; below those of `ConnectionLimits`. */
const openBounds: ConnectionBounds = { perAddress: 1_500, perNetwork: 1_500 * networkShare, total: 8_000 };
/** Those of them that have not signed in yet. At a total the oldest of these makes room for a new connection. */
const anonymousBounds: ConnectionBounds = { perAddress: 500, perNetwork: 500 * networkShare, total: 4_000 };

/** A WebSocket whose upgrade was accepted. */
export interface UpgradedConnection {
  readonly requestId: string;
  readonly address: string;
  /** It no longer counts as anonymous. */
  readonly signedIn: (spend: (bytes: number) => boolean) => void;
}

export interface Upgrades {
  readonly engine: Engine;
  /** Of the request that was upgraded. */
  connectionOf(request: IncomingMessage): UpgradedConnection;
  /** How many have not signed in. */
  anonymous(): number;
  /** Refuses further upgrades with 503. */
  close(): void;
}

const lingerMs = 1_000;

/** Answers a refused upgrade, and closes its connection. */
const refuse = (
  socket: Duplex,
  error: DomainError,
  requestId: string,
  headers?: Readonly<Record<string, string>>,
) => {
  socket.on('error', () => undefined);
  socket.end(problemMessage(error, requestId, headers));
  // The client may still be sending, or never close its side: an early reset could take the answer from it.
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
};

/** Clients do not split messages of 64 KB into more pieces than these; each piece is kept until the last one. */
class BoundedWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super({ ...options, autoPong: false, maxFragments: 100, maxBufferedChunks: 1_000 });
    // Without a listener `ws` answers by itself, in HTML.
    this.on('wsClientError', (error, socket, request) => {
      refuse(
        socket,
        new DomainError('malformed', { detail: `This is no valid WebSocket handshake: ${error.message}.` }),
        newUuid(),
        { 'Sec-WebSocket-Version': '13' },
      );
      request.resume();
    });
  }
}

/**
 * Answers every upgrade request: a WebSocket for Socket.IO's path, or a problem with its request id. Cheapest checks
 * first, before any token is read: form, origin, then how many connections and attempts the address has.
 */
export const acceptUpgrades = (deps: {
  server: HttpServer;
  limits: RateLimits;
  isOriginAllowed: OriginPolicy;
  trustedHops: number;
  clock: Clock;
  log: Logger;
  metrics: SocketMetrics;
  requestDeadlineMs: number;
  connectPacketMs: number;
  /** Tests reach smaller ones. */
  bounds?: { open: ConnectionBounds; anonymous: ConnectionBounds };
}): Upgrades => {
  const { limits, isOriginAllowed, metrics } = deps;
  const open = createConnectionCounts(deps.bounds?.open ?? openBounds);
  const anonymous = createConnectionCounts(deps.bounds?.anonymous ?? anonymousBounds);
  const floods = createRefusalLog(deps);
  const connections = new WeakMap<IncomingMessage, UpgradedConnection & { guard?: ConnectionGuard }>();
  let isClosing = false;

  const engine = new Engine({
    transports: ['websocket'],
    allowEIO3: false,
    perMessageDeflate: false,
    maxHttpBufferSize: frameLimitBytes,
    wsEngine: BoundedWebSocketServer,
  });

  const connectionOf = (request: IncomingMessage) => {
    const connection = connections.get(request);
    if (!connection) throw new Error('a WebSocket that was not upgraded here');
    return connection;
  };

  const requireAcceptable = async (req: IncomingMessage, address: string) => {
    requireSocketPath(req);
    if (isClosing)
      throw new DomainError('not-ready', {
        detail: 'The server is stopping. Connect again in a moment.',
        retryAfterSeconds: 1,
      });
    requireHandshake(req, true);
    if (!isOriginAllowed(req.headers.origin, req.headers.host))
      throw new DomainError('origin-not-allowed', {
        detail: 'Pages of this `Origin` may not open sockets. Apps send none, or the one of this server.',
      });
    refuseUrlTokens(req.url ?? '');
    const state = await limits.take('address', address, 'connect');
    if (state && !state.allowed) throw rateLimited(state);
  };

  const tooMany = () =>
    new DomainError('rate-limited', {
      detail: 'There are too many connections from this network. Connect again in a few seconds.',
      retryAfterSeconds: 5,
    });

  /** Throws `rate-limited` where the address or its network has too many connections, or no other can make room. */
  const count = (address: string, socket: Duplex) => {
    const evict = () => {
      unsigned?.close();
      all?.close();
      metrics.closed('evicted');
      floods.note('socket.closed', 'evicted', truncatedAddress(address));
      socket.destroy();
    };
    const unsigned = anonymous.open(address, evict);
    const all = unsigned && open.open(address, evict);
    if (!all) {
      unsigned?.close();
      throw tooMany();
    }
    return {
      signedIn() {
        unsigned.close();
        all.keep();
      },
      close() {
        unsigned.close();
        all.close();
      },
    };
  };

  const upgrade = async (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    const requestId = newUuid();
    const address = clientAddress(req, deps.trustedHops);
    // The client may reset the connection before anything else listens.
    socket.on('error', () => undefined);
    try {
      await requireAcceptable(req, address);
      const counted = count(address, socket);
      socket.once('close', counted.close);
      if (socket.destroyed) {
        counted.close();
        return;
      }
      connections.set(req, {
        requestId,
        address,
        signedIn(spend) {
          counted.signedIn();
          connectionOf(req).guard?.signedIn(spend);
        },
      });
      engine.handleUpgrade(req, socket, head);
    } catch (thrown) {
      const error = toDomainError(thrown);
      metrics.refused(error.code);
      floods.note('socket.upgrade_refused', error.code, truncatedAddress(address));
      if (error.code === 'internal')
        deps.log.error(
          { event: 'socket.upgrade_failed', err: error.cause, requestId },
          'socket upgrade failed',
        );
      refuse(socket, error, requestId, error.code === 'method-not-allowed' ? { Allow: 'GET' } : {});
    }
  };

  deps.server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Others are answered by `answerProtocolErrors`.
    if (!isSocketPath(req)) return;
    void upgrade(req, socket, head);
  });
  engine.on('initial_headers', (headers: Record<string, string>, req: IncomingMessage) => {
    headers['X-Request-Id'] = connectionOf(req).requestId;
  });
  engine.on('connection', (conn: EngineSocket) => {
    const connection = connectionOf(conn.request);
    const { address, requestId } = connection;
    const { websocket } = conn.request as unknown as { websocket: WebSocket };
    connection.guard = guardConnection({
      conn,
      ws: websocket,
      requestId,
      admissionMs: deps.requestDeadlineMs,
      connectPacketMs: deps.connectPacketMs,
      onViolation(violation) {
        metrics.closed(violation);
        floods.note('socket.closed', violation, truncatedAddress(address));
      },
    });
  });

  return {
    engine,
    connectionOf,
    anonymous: anonymous.total,
    close() {
      isClosing = true;
    },
  };
};
