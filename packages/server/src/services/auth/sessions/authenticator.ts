import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import type { Actor, Authenticate, BeforeVerification } from '../../../platform/edge/actor.ts';
import { createConcurrencyLimit } from '../../../platform/concurrency/concurrency-limit.ts';
import { tokenExpired, type AccessToken, type AccessTokens } from './access-tokens.ts';
import type { Accounts, SessionEnded } from '../ports.ts';
import { endedProblem, type EndReason, type StoredSession } from './session.ts';
import type { SessionIds } from './session-ids.ts';
import type { SessionStore } from './session-store.ts';

/** How long the state of a session is cached: an ended one is unusable everywhere within this time (SES-6). */
const livenessMs = 5_000;
/**
 * Signatures are verified on Node's four worker threads, so more at a time gain nothing. A queued token is charged to its
 * budget when its verification starts, so a burst of forged tokens cannot exceed the budget.
 */
const verificationsAtOnce = 4;
/** Memory bounds, some 20 MB in total. */
const maxTokens = 20_000;
const maxSessions = 20_000;

type SessionState = { readonly aliveAt: number } | { readonly ended: EndReason };

export interface Authenticator {
  authenticate: Authenticate;
  /**
   * Whether failures that name this session count for it and not for the address: no other client can have invented its
   * id. That is so where the id proves itself (`SessionIds`), and where this process knows the session to be live.
   */
  isProven(sessionId: string): boolean;
  /** Rejects the tokens of a session from now on. */
  markEnded(ended: SessionEnded): void;
}

/**
 * Authenticates access tokens. A token is verified once, and its session is read at most every 5 s; in between the result
 * is synchronous, because every recorded puff needs it. If the database does not answer, authentication fails (SES-6).
 */
export const createAuthenticator = (deps: {
  accessTokens: AccessTokens;
  sessionIds: SessionIds;
  sessions: SessionStore;
  accounts: Accounts;
  clock: Clock;
}): Authenticator => {
  const { accessTokens, sessionIds, sessions, accounts, clock } = deps;
  const inSlot = createConcurrencyLimit(verificationsAtOnce);
  const verified = new LRUCache<string, AccessToken>({ max: maxTokens });
  const states = new LRUCache<string, SessionState>({ max: maxSessions });
  const reads = new Map<string, Promise<StoredSession>>();

  const readSession = async ({ sessionId, userId }: Actor): Promise<StoredSession> => {
    const startedAt = clock.now();
    const [session, user] = await Promise.all([sessions.find(sessionId), accounts.view(userId)]);
    const known = states.peek(sessionId);
    // The session may have ended during the query.
    if (known && 'ended' in known) throw endedProblem(known.ended);
    if (user && session?.endedAt === null) {
      states.set(sessionId, { aliveAt: startedAt });
      return session;
    }
    const ended = user ? (session?.endedReason ?? 'logout') : 'account-gone';
    states.set(sessionId, { ended });
    throw endedProblem(ended);
  };

  const readSessionOnce = (actor: Actor): Promise<StoredSession> => {
    const { sessionId } = actor;
    const running = reads.get(sessionId);
    if (running) return running;
    const reading = readSession(actor).finally(() => reads.delete(sessionId));
    reads.set(sessionId, reading);
    return reading;
  };

  const requireLive = async ({ actor, refreshCounter }: AccessToken): Promise<Actor> => {
    const session = await readSessionOnce(actor);
    if (refreshCounter === session.refreshCounter && session.successorUsedAt === null && refreshCounter > 1)
      await sessions.markSuccessorUsed(session.id, refreshCounter, clock.now());
    return actor;
  };

  const isProven = (sessionId: string) => {
    const state = states.peek(sessionId);
    return (state !== undefined && 'aliveAt' in state) || sessionIds.isProven(sessionId);
  };

  const verify = async (token: string, before: BeforeVerification | undefined): Promise<Actor> => {
    const { sessionId } = accessTokens.read(token);
    const accessToken = await inSlot(() => {
      before?.(isProven(sessionId) ? sessionId : undefined);
      return accessTokens.verify(token);
    });
    verified.set(token, accessToken);
    return requireLive(accessToken);
  };

  return {
    authenticate(token, beforeVerification) {
      const known = verified.get(token);
      if (!known) return verify(token, beforeVerification);
      const now = clock.now();
      if (now >= known.actor.expiresAt) throw tokenExpired();
      const state = states.get(known.actor.sessionId);
      if (state && 'ended' in state) throw endedProblem(state.ended);
      // A clock that was set back does not extend the cache.
      if (state && now >= state.aliveAt && now - state.aliveAt < livenessMs) return known.actor;
      return requireLive(known);
    },
    isProven,
    markEnded({ sessionId, reason }) {
      states.set(sessionId, { ended: reason });
    },
  };
};
