import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy before a database, for a network that fails without closing anything. */
export interface DatabaseLink {
  /** The address of the database, by way of this proxy. */
  readonly uri: string;
  /** Passes nothing on from now on, of connections that come meanwhile neither. */
  stall(): void;
  /** Passes on what has been held back, and all that follows. */
  resume(): void;
  close(): Promise<void>;
}

export const startDatabaseLink = async (databaseUri: string): Promise<DatabaseLink> => {
  const target = new URL(databaseUri);
  const sockets = new Set<Socket>();
  let stalled = false;
  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.on('data', (data) => other.write(data));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    if (stalled) socket.pause();
  };
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    keep(client, database);
    keep(database, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const uri = new URL(databaseUri);
  uri.port = String((server.address() as AddressInfo).port);
  return {
    uri: uri.href,
    stall() {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    resume() {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
