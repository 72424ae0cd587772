import { DomainError } from '../errors.ts';
import { isGuess } from '../http/problem.ts';
import { clientAddress } from '../http/client-address.ts';
import { refuseUrlTokens } from '../http/query.ts';
import type { Authenticate } from '../actor.ts';
import type { Phase } from '../lifecycle.ts';
import { rateLimited, type RateLimits } from '../limits/rate-limits.ts';
import type { AppSocket } from './app-socket.ts';

/** Lets a socket in by the token of its handshake, or throws what `connect_error` says. */
export const admit = async (
  socket: AppSocket,
  deps: {
    authenticate: Authenticate;
    phase: () => Phase;
    requireCapacity: () => void;
    limits: RateLimits;
    trustedHops: number;
  },
): Promise<void> => {
  if (deps.phase() !== 'open')
    throw new DomainError('not-ready', {
      detail: 'The server is starting or stopping. Connect again in a moment.',
      retryAfterSeconds: 1,
    });
  deps.requireCapacity();
  refuseUrlTokens(Object.keys(socket.handshake.query));
  const token: unknown = (socket.handshake.auth as Record<string, unknown>)['token'];
  if (typeof token !== 'string')
    throw new DomainError('unauthenticated', { detail: 'Connect with `auth: {token: <accessToken>}`.' });
  try {
    socket.data.actor = await deps.authenticate(token);
  } catch (error) {
    if (!isGuess(error)) throw error;
    const state = await deps.limits.take(
      'address',
      clientAddress(socket.request, deps.trustedHops),
      'refused',
    );
    throw state && !state.allowed ? rateLimited(state) : error;
  }
  const state = await deps.limits.take('person', socket.data.actor.userId, 'socket');
  if (state && !state.allowed) throw rateLimited(state);
  socket.data.warned = false;
  socket.data.strikes = 0;
};
