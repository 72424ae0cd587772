import { connect, type Socket as TcpSocket } from 'node:net';
import { io, type Socket } from 'socket.io-client';

/** What a load run measured. Latencies in ms, ascending. */
export interface LoadResult {
  readonly operations: number;
  readonly seconds: number;
  readonly latencies: readonly number[];
}

/** One open connection of a client: sends the next operation and resolves with its answer checked. */
export interface Wire {
  send(): Promise<void>;
  close(): void;
}

/** Keeps one operation under way on each wire for `seconds`. */
export const runLoad = async (wires: readonly Wire[], seconds: number): Promise<LoadResult> => {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1_000;
  await Promise.all(
    wires.map(async (wire) => {
      for (let before = performance.now(); before < end; before = performance.now()) {
        await wire.send();
        latencies.push(performance.now() - before);
      }
    }),
  );
  return {
    operations: latencies.length,
    seconds: (performance.now() - start) / 1_000,
    latencies: latencies.sort((a, b) => a - b),
  };
};

/**
 * HTTP/1.1 on a kept connection, as little of it as the answers here need: the generator shares two cores with what it
 * measures, and a full client costs more than the server.
 */
export const httpWire = (
  port: number,
  request: () => { path: string; token: string; body: string },
  expectedStatus: number,
): Wire => {
  const socket: TcpSocket = connect({ port, host: '127.0.0.1', noDelay: true });
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let received = '';
  const fail = (error: Error) => waiting?.reject(error);
  socket.setEncoding('latin1');
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  socket.on('data', (chunk: string) => {
    received += chunk;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1] ?? 0);
    if (received.length < headEnd + 4 + length) return;
    const status = Number(received.slice(9, 12));
    const answer = received;
    received = '';
    if (status === expectedStatus) waiting?.resolve();
    else fail(new Error(`expected ${expectedStatus}: ${answer}`));
  });
  return {
    send: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        const { path, token, body } = request();
        socket.write(
          `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n` +
            `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      }),
    close: () => socket.destroy(),
  };
};

/** A Socket.IO connection that emits `puff`, or another event, and waits for the ack. */
export const socketWire = async (
  port: number,
  token: string,
  payload: () => object,
  event = 'puff',
): Promise<Wire> => {
  const socket: Socket = io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    auth: { token },
    forceNew: true,
    reconnection: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return {
    async send() {
      const answer = (await socket.timeout(30_000).emitWithAck(event, payload())) as { error?: unknown };
      if (answer.error) throw new Error(JSON.stringify(answer.error));
    },
    close: () => socket.disconnect(),
  };
};
