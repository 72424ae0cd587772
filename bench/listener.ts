import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const connectWithinMs = 10_000;
/** One masked text frame that holds `text` (RFC 6455); below 126 bytes, or below 64 KB. */
const frame = (text: string): Buffer => {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff]);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(4), payload]);
};

export interface Listener {
  close(): void;
}

/**
 * A phone that only listens: Socket.IO over a WebSocket, as little of it as counting an event needs. A full client costs
 * more for each event than the server does, and would be what is measured.
 */
export const listen = (options: {
  port: number;
  token: string;
  event: string;
  onEvent: () => void;
}): Promise<Listener> => {
  const { port, token, event, onEvent } = options;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const wanted = `42["${event}"`;
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      socket.destroy(new Error('the server did not let the socket in'));
    }, connectWithinMs);
    let rest = '';
    let state: 'opening' | 'asking' | 'in' = 'opening';
    socket.setEncoding('latin1');
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(deadline);
      reject(new Error(`the server closed the socket: ${rest}`));
    });
    socket.on('data', (chunk: string) => {
      const text = rest + chunk;
      let end = 0;
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, end)) {
        end = at + wanted.length;
        onEvent();
      }
      // A name that is cut in two is found with the next chunk; one that was counted is not kept.
      rest = text.slice(Math.max(end, text.length - wanted.length + 1));
      if (text.includes('\u0081\u00012')) socket.write(frame('3'));
      if (state === 'opening' && text.includes('0{"sid"')) {
        state = 'asking';
        socket.write(frame(`40${JSON.stringify({ token })}`));
      }
      // The answer comes after the question, so in another chunk.
      else if (state === 'asking' && text.includes('40{"sid"')) {
        state = 'in';
        clearTimeout(deadline);
        resolve({ close: () => socket.destroy() });
      }
    });
    socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
  });
};
