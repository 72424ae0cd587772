import { io, type Socket } from 'socket.io-client';
import { inTime, type Person, type TestApp } from '../src/index.ts';

const sockets: Socket[] = [];
export const closeSockets = (): void => {
  for (const socket of sockets.splice(0)) socket.disconnect();
};

export const tokenOf = (person: Person): string => person.client.accessToken() ?? '';

interface SocketOptions {
  headers?: Record<string, string>;
  query?: Record<string, string>;
  auth?: object;
}
/** A socket without the SDK, closed by `closeSockets`. */
export const openSocket = (app: TestApp, { headers = {}, query = {}, auth = {} }: SocketOptions): Socket => {
  const socket = io(app.url, {
    auth,
    query,
    extraHeaders: headers,
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  sockets.push(socket);
  return socket;
};
/** The next event of this name. */
export const eventOf = (socket: Socket, event: string): Promise<unknown> =>
  inTime(event, new Promise<unknown>((resolve) => socket.once(event, resolve)));
export const outcomeOf = (socket: Socket): Promise<string> =>
  Promise.race([
    eventOf(socket, 'connect').then(() => 'connected'),
    eventOf(socket, 'connect_error').then(() => 'refused'),
  ]);
