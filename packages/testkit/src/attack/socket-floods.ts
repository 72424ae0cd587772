import { upgrade, type BareWebSocket } from '../bare-websocket.ts';
import { repeat, type Flood, type FloodTarget } from './flood.ts';

const maxHeld = 10_000;
/** Bytes that may wait on this side for the server to read them. */
const maxUnsentBytes = 1024 * 1024;

const connectPacket = (token: string) => `40${JSON.stringify({ token })}`;

/** A token of an account that the attacker has, with another signature: only its verification fails. */
const forgedToken = ([token = '']: readonly string[]): string => {
  const start = token.lastIndexOf('.') + 1;
  return `${token.slice(0, start)}${token.slice(start + 1)}${token.charAt(start)}`;
};

const open = async ({ url }: FloodTarget): Promise<BareWebSocket> => {
  const socket = await upgrade(url);
  if (socket.answer.status === 101) return socket;
  socket.raw.destroy();
  throw new Error(`refused with ${socket.answer.status}`);
};

/** Sends again and again while the connection is there, and `until` has not resolved. */
const keepSending = async (
  { raw }: BareWebSocket,
  { signal }: FloodTarget,
  send: () => void,
  until?: Promise<unknown>,
): Promise<void> => {
  const state = { isOver: false };
  void until?.finally(() => (state.isOver = true)).catch(() => undefined);
  while (!state.isOver && !signal.aborted && !raw.destroyed) {
    if (raw.writableLength < maxUnsentBytes) send();
    await new Promise(setImmediate);
  }
  raw.destroy();
};

/** A server gives a connection a few seconds to sign in; a new one has all of them again. */
const renewAfterMs = 3_000;

/** Connections that send the same from the beginning. One that the server closes makes place for the next. */
const beforeSignIn = (
  name: string,
  loops: number,
  send: (socket: BareWebSocket, target: FloodTarget) => void,
): Flood => ({
  name,
  run: (target) =>
    repeat(target.signal, loops, async () => {
      const socket = await open(target);
      const sendAgain = () => {
        send(socket, target);
      };
      const isOld = new Promise((resolve) => setTimeout(resolve, renewAfterMs));
      await keepSending(socket, target, sendAgain, Promise.race([socket.closed, isOld]));
    }),
});

/** Connections that sign in first, each with the next account, and do not care that the server closes them. */
const afterSignIn = (name: string, loops: number, send: (socket: BareWebSocket) => void): Flood => ({
  name,
  run(target) {
    let next = 0;
    return repeat(target.signal, loops, async () => {
      const socket = await open(target);
      next += 1;
      socket.send(connectPacket(target.tokens[next % target.tokens.length] ?? ''));
      await Promise.race([socket.next(/^42\["ready"/), socket.closed]);
      await keepSending(socket, target, () => {
        send(socket);
      });
    });
  },
});

const many = (count: number, text: string) => Array<string>(count).fill(text);
const wideObject = JSON.stringify(
  Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`k${index}`, 0])),
);

export const socketFloods: readonly Flood[] = [
  beforeSignIn('connect-repeated', 4, (socket) => {
    socket.send(...many(50, connectPacket('x')));
  }),
  beforeSignIn('connect-forged', 20, (socket, { tokens }) => {
    socket.send(...many(5, connectPacket(forgedToken(tokens))));
  }),
  beforeSignIn('other-namespaces', 20, (socket) => {
    socket.send(...many(20, '40/admin,'));
  }),
  beforeSignIn('tiny-packets', 10, (socket) => {
    socket.send(...many(1_000, '3'));
  }),
  beforeSignIn('tiny-pings', 10, (socket) => {
    socket.sendFrame(9, '', true, 10_000);
  }),
  beforeSignIn('tiny-fragments', 10, (socket) => {
    socket.sendFrame(1, '4', false);
    socket.sendFrame(0, '0', false, 1_000);
  }),
  beforeSignIn('large-before-sign-in', 10, (socket) => {
    socket.send(`40{"token":"${'x'.repeat(60_000)}"}`);
  }),
  {
    name: 'anonymous-websockets',
    async run(target) {
      const held: BareWebSocket[] = [];
      const attempts = await repeat(target.signal, 50, async () => {
        if (held.length < maxHeld) held.push(await open(target));
        else await new Promise((resolve) => setTimeout(resolve, 100));
      });
      for (const { raw } of held) raw.destroy();
      return attempts;
    },
  },
  {
    name: 'refused-upgrades',
    run: ({ url, signal }) =>
      repeat(signal, 20, async () => {
        const { raw } = await upgrade(url, { path: '/socket.io/?EIO=3&transport=websocket' });
        raw.destroy();
      }),
  },
  {
    name: 'polling',
    run: ({ url, signal }) =>
      repeat(signal, 20, async () => (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text()),
  },
  afterSignIn('binary', 5, (socket) => {
    socket.send('451-["puff",{"_placeholder":true,"num":0}]');
    socket.sendFrame(2, Buffer.alloc(60_000));
  }),
  afterSignIn('full-frames', 5, (socket) => {
    socket.send(`421["no-such-event",${wideObject}]`);
  }),
  afterSignIn('events', 5, (socket) => {
    socket.send(...many(100, '42["puff",{"quantity":0}]'));
  }),
  afterSignIn('bytes-after-close', 5, (socket) => {
    socket.sendFrame(8, '');
    socket.sendFrame(1, '0'.repeat(60_000));
  }),
  afterSignIn('pings', 5, (socket) => {
    socket.sendFrame(9, '', true, 10_000);
  }),
];
