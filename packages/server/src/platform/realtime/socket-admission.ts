import { DomainError } from '../edge/errors.ts';
import { isAuthenticationFailure } from '../edge/problem.ts';
import type { Authenticate } from '../edge/actor.ts';
import type { Phase } from '../lifecycle.ts';
import { rateLimited, type RateLimits } from '../limits/rate-limits.ts';
import type { AppSocket } from './app-socket.ts';
import type { FrameBudgets } from './frame-budgets.ts';

/**
 * Authenticates a socket by the token of its handshake, or throws the error of `connect_error`. Checks go from cheap to expensive: the
 * upgrade was counted for the address before, a connection has one attempt, and a session or an address that has spent
 * its refused tokens has no further signature verified.
 */
export const admit = async (
  socket: AppSocket,
  address: string,
  deps: {
    authenticate: Authenticate;
    phase: () => Phase;
    requireCapacity: () => void;
    limits: RateLimits;
    budgets: FrameBudgets;
  },
): Promise<void> => {
  const { limits } = deps;
  if (deps.phase() !== 'open')
    throw new DomainError('not-ready', {
      detail: 'The server is starting or stopping. Connect again in a moment.',
      retryAfterSeconds: 1,
    });
  deps.requireCapacity();
  const token: unknown = (socket.handshake.auth as Record<string, unknown>)['token'];
  if (typeof token !== 'string')
    throw new DomainError('unauthenticated', { detail: 'Connect with `auth: {token: <accessToken>}`.' });
  let named: string | undefined;
  try {
    socket.data.actor = await deps.authenticate(token, (sessionId) => {
      named = sessionId;
      const spent = sessionId
        ? limits.exhausted('session', sessionId, 'refused')
        : limits.exhausted('address', address, 'refused');
      if (spent) throw rateLimited(spent);
    });
  } catch (error) {
    if (!isAuthenticationFailure(error)) throw error;
    if (named) await limits.take('session', named, 'refused');
    const state = await limits.take('address', address, 'refused');
    throw state && !state.allowed ? rateLimited(state) : error;
  }
  const state = await limits.take('person', socket.data.actor.userId, 'socket');
  if (state && !state.allowed) throw rateLimited(state);
  const spentFor = deps.budgets.spentFor(socket.data.actor.userId);
  if (spentFor !== undefined) throw rateLimited({ resetSeconds: spentFor });
  socket.data.warned = false;
  socket.data.strikes = 0;
};
