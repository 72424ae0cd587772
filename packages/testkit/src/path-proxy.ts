import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A reverse proxy as small as can be: it stands where nginx or a load balancer stands in a split deployment. */
export interface PathProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** Sends each request and each WebSocket to the port that `portFor` names for its path. */
export const startPathProxy = async (portFor: (path: string) => number): Promise<PathProxy> => {
  // The proxy drops idle connections first: the processes keep theirs for 65 s.
  const agent = new Agent({ keepAlive: true, timeout: 30_000 });
  const tunnels = new Set<Socket>();
  const portOf = (req: IncomingMessage) => portFor((req.url ?? '/').split('?')[0] ?? '/');

  const server = createServer({ keepAliveTimeout: 65_000 }, (req, res) => {
    const upstream = request(
      {
        host: '127.0.0.1',
        port: portOf(req),
        method: req.method,
        path: req.url,
        headers: forwarded(req),
        agent,
      },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      },
    );
    upstream.on('error', () => {
      if (!res.headersSent) res.writeHead(502).end();
    });
    res.on('close', () => upstream.destroy());
    req.pipe(upstream);
    // Where the answer came before the whole body had: the rest is read and dropped.
    upstream.on('close', () => req.resume());
  });

  server.on('upgrade', (req: IncomingMessage, client: Socket, head: Buffer) => {
    const upstream = connect(portOf(req), '127.0.0.1', () => {
      const headers = Object.entries(forwarded(req)).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      upstream.write(`GET ${req.url ?? '/'} HTTP/1.1\r\n${headers.join('')}\r\n`);
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      tunnels.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        tunnels.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  });

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      for (const socket of tunnels) socket.destroy();
      agent.destroy();
      await closed;
    },
  };
};

/** The headers with the client address appended, as proxies do. */
const forwarded = ({ headers, socket }: IncomingMessage) => ({
  ...headers,
  'x-forwarded-for': [headers['x-forwarded-for'], socket.remoteAddress].filter(Boolean).join(', '),
});
