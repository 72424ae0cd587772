import type { Clock } from '../clock.ts';
import { emitTo, type AppSocket } from './app-socket.ts';

const everyMs = 1_000;
const warnBeforeMs = 60_000;

/**
 * A socket lives no longer than the token that it has (WS-2): 60 s before the end it is told so, and closed at the end.
 * One look a second over all sockets costs less than two timers for each, and follows a clock that jumps.
 * Gives back how to stop.
 */
export const watchLifetimes = (sockets: () => Iterable<AppSocket>, clock: Clock): (() => void) => {
  const timer = setInterval(() => {
    const now = clock.now();
    for (const socket of sockets()) {
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
