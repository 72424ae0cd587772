import { createServer, connect, type AddressInfo } from 'node:net';

const listen = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const taken = (server.address() as AddressInfo).port;
      server.close(() => {
        resolve(taken);
      });
    });
  });

/** A port of 127.0.0.1 that is free at the time of the call; another process may take it afterwards. */
export const freePort = async (): Promise<number> => {
  const port = await listen(0);
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
};

export const isPortFree = async (port: number): Promise<boolean> => (await listen(port)) !== undefined;

/** True when something on 127.0.0.1 accepts connections on `port`. */
export const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => {
      end(false);
    });
    socket.once('connect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
  });
