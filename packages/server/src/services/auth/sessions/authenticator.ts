import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import type { Actor, Authenticate, BeforeVerification } from '../../../platform/edge/actor.ts';
import { createSlots } from '../../../platform/concurrency/slots.ts';
import { tokenExpired, type AccessToken, type AccessTokens } from './access-tokens.ts';
import type { Accounts } from '../accounts.ts';
import { endedProblem, type EndReason, type StoredSession } from './session.ts';
import type { SessionIds } from './session-ids.ts';
import type { SessionStore } from './session-store.ts';

/** How old an answer about a session may get: an ended one is dead everywhere within this time (SES-6). */
const livenessMs = 5_000;
/**
 * Signatures are checked on Node's four worker threads. More at a time gain nothing, and what waits here is asked for
 * its budget only when it is its turn: a burst of forged tokens cannot pass the count of those before it.
 */
const verificationsAtOnce = 4;
/** Bounds of memory, some 20 MB together. */
const maxTokens = 20_000;
const maxSessions = 20_000;

type SessionState = { readonly aliveAt: number } | { readonly ended: EndReason };

export interface Authenticator {
  authenticate: Authenticate;
  /** A session that this process has ended is dead here at once. */
  sessionEnded(sessionId: string, reason: EndReason): void;
}

/**
 * From an access token to the person behind it. A token is verified once, its session is looked up at most every 5 s;
 * between that the answer comes at once, without a promise: it stands on the path of every puff.
 * Where the database does not answer, nobody is let in (SES-6).
 */
export const createAuthenticator = (deps: {
  accessTokens: AccessTokens;
  sessionIds: SessionIds;
  sessions: SessionStore;
  accounts: Accounts;
  clock: Clock;
}): Authenticator => {
  const { accessTokens, sessionIds, sessions, accounts, clock } = deps;
  const inSlot = createSlots(verificationsAtOnce);
  const verified = new LRUCache<string, AccessToken>({ max: maxTokens });
  const states = new LRUCache<string, SessionState>({ max: maxSessions });
  const lookups = new Map<string, Promise<StoredSession>>();

  const lookUp = async ({ sessionId, userId }: Actor): Promise<StoredSession> => {
    const startedAt = clock.now();
    const [session, user] = await Promise.all([sessions.find(sessionId), accounts.view(userId)]);
    const known = states.peek(sessionId);
    // It may have been ended here while the answer was on its way.
    if (known && 'ended' in known) throw endedProblem(known.ended);
    if (user && session?.endedAt === null) {
      states.set(sessionId, { aliveAt: startedAt });
      return session;
    }
    const ended = user ? (session?.endedReason ?? 'logout') : 'account-gone';
    states.set(sessionId, { ended });
    throw endedProblem(ended);
  };

  const lookUpOnce = (actor: Actor): Promise<StoredSession> => {
    const { sessionId } = actor;
    const running = lookups.get(sessionId);
    if (running) return running;
    const lookup = lookUp(actor).finally(() => lookups.delete(sessionId));
    lookups.set(sessionId, lookup);
    return lookup;
  };

  const admit = async ({ actor, refreshCounter }: AccessToken): Promise<Actor> => {
    const session = await lookUpOnce(actor);
    if (refreshCounter === session.refreshCounter && session.successorUsedAt === null && refreshCounter > 1)
      await sessions.markSuccessorUsed(session.id, refreshCounter, clock.now());
    return actor;
  };

  const verify = async (token: string, before: BeforeVerification | undefined): Promise<Actor> => {
    const { sessionId } = accessTokens.read(token);
    const accessToken = await inSlot(() => {
      before?.(sessionIds.isProven(sessionId) ? sessionId : undefined);
      return accessTokens.verify(token);
    });
    verified.set(token, accessToken);
    return admit(accessToken);
  };

  return {
    authenticate(token, beforeVerification) {
      const known = verified.get(token);
      if (!known) return verify(token, beforeVerification);
      const now = clock.now();
      if (now >= known.actor.expiresAt) throw tokenExpired();
      const state = states.get(known.actor.sessionId);
      if (state && 'ended' in state) throw endedProblem(state.ended);
      // A clock that was set back makes no answer last longer.
      if (state && now >= state.aliveAt && now - state.aliveAt < livenessMs) return known.actor;
      return admit(known);
    },
    sessionEnded(sessionId, reason) {
      states.set(sessionId, { ended: reason });
    },
  };
};
