import type { Clock } from '../clock.ts';
import { emitTo, type AppSocket } from './app-socket.ts';

const everyMs = 1_000;
const warnBeforeMs = 60_000;
/** What may wait for a phone that reads slowly; more than a replay of its inbox is likely to be. */
const maxUnsentEvents = 1_000;
const maxUnsentBytes = 1024 * 1024;

/**
 * A socket lives no longer than the token that it has (WS-2): it gets `tokenExpiring` 60 s before the end and is closed at the end.
 * One whose reader has stalled is closed too (REL-10): it keeps memory, and its client resumes with `lastSeq`. One check a second of all sockets costs less than two timers for each, and follows a clock that jumps.
 * Gives back how to stop.
 */
export const watchLifetimes = (deps: {
  sockets: () => Iterable<AppSocket>;
  onStalled: (socket: AppSocket) => void;
  clock: Clock;
}): (() => void) => {
  const { sockets, onStalled, clock } = deps;
  const timer = setInterval(() => {
    const now = clock.now();
    for (const socket of sockets()) {
      if (isStalled(socket)) {
        onStalled(socket);
        // A closing handshake would wait behind what is unsent.
        socket.request.socket.destroy();
        continue;
      }
      const leftMs = socket.data.actor.expiresAt - now;
      if (leftMs <= 0) {
        emitTo(socket, 'sessionEnded', { reason: 'expired' });
        socket.disconnect(true);
      } else if (leftMs <= warnBeforeMs && !socket.data.warned) {
        socket.data.warned = true;
        emitTo(socket, 'tokenExpiring', { expiresInSeconds: Math.ceil(leftMs / 1000) });
      }
    }
  }, everyMs).unref();
  return () => {
    clearInterval(timer);
  };
};

/** Engine.IO hands all that waits to the connection, and keeps what comes until that is gone; only its types hide where. */
const isStalled = ({ conn, request }: AppSocket): boolean => {
  const { writeBuffer } = conn as unknown as { writeBuffer: readonly unknown[] };
  return request.socket.writableLength > maxUnsentBytes || writeBuffer.length > maxUnsentEvents;
};
