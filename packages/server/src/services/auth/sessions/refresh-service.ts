import type { Session } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { AuthMetrics } from '../auth-metrics.ts';
import type { NotificationInbox, SessionEnded } from '../ports.ts';
import { decideRefresh, endedProblem, idleTtlMs, utcDayOf, type StoredSession } from './session.ts';
import type { SessionIssuer } from './session-issuer.ts';
import type { SessionService } from './session-service.ts';
import type { SessionStore } from './session-store.ts';

export interface RefreshService {
  /**
   * Rotates the refresh token (SES-3, SES-4). Throws `invalid-token`, `token-expired`, `session-ended`,
   * `refresh-reused` or `account-gone`.
   */
  refresh(refreshToken: string, log: Logger): Promise<Session>;
}

export const createRefreshService = (deps: {
  store: Pick<SessionStore, 'rotate' | 'keepAlive' | 'end'>;
  issuer: SessionIssuer;
  sessions: Pick<SessionService, 'issueTokens' | 'requireAccount'>;
  inbox: NotificationInbox;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
  onEnded: (ended: SessionEnded) => void;
  clock: Clock;
  metrics: Pick<AuthMetrics, 'refreshReused'>;
}): RefreshService => {
  const { store, issuer, sessions, inbox, clock, metrics } = deps;

  /** Undefined if a concurrent call has rotated or ended the session. */
  const rotate = async (session: StoredSession, now: number, log: Logger): Promise<Session | undefined> => {
    const user = await sessions.requireAccount(session);
    const use = { now, lastUsedOn: utcDayOf(now), idleExpiresAt: now + idleTtlMs };
    const rotated = await store.rotate(session, use);
    if (!rotated) return undefined;
    const { id: sessionId, userId } = session;
    log.debug({ event: 'auth.refreshed', userId, sessionId }, 'session refreshed');
    return issuer.issue(rotated, user);
  };

  /** Issues the same tokens again. A repeat is a use too: once a day it extends the idle limit. */
  const repeat = async (session: StoredSession, now: number): Promise<Session | undefined> => {
    const lastUsedOn = utcDayOf(now);
    const kept =
      lastUsedOn === session.lastUsedOn
        ? session
        : await store.keepAlive(session, { lastUsedOn, idleExpiresAt: now + idleTtlMs });
    return kept && sessions.issueTokens(kept);
  };

  /** Notifies the account owner: either a device is faulty, or its token was stolen. */
  const endReused = async (session: StoredSession, counter: number, log: Logger): Promise<void> => {
    const { id: sessionId, userId, device } = session;
    const ended = await deps.inTransaction(async (tx) => {
      const hasEnded = await store.end(sessionId, 'refresh-reused', clock.now(), tx);
      if (hasEnded) await inbox.notify(tx, userId, { kind: 'session-reused', deviceName: device.name });
      return hasEnded;
    });
    if (!ended) return;
    deps.onEnded({ sessionId, reason: 'refresh-reused' });
    metrics.refreshReused();
    log.warn(
      { event: 'auth.refresh_reuse', userId, sessionId, counter, current: session.refreshCounter },
      'old refresh token reused; session ended',
    );
  };

  return {
    async refresh(refreshToken, log) {
      // Decides again if a concurrent call has rotated or ended the session.
      for (;;) {
        const { session, counter } = await issuer.findByRefreshToken(refreshToken);
        const now = clock.now();
        switch (decideRefresh(session, counter, now)) {
          case 'rotate': {
            const rotated = await rotate(session, now, log);
            if (rotated) return rotated;
            continue;
          }
          case 'repeat': {
            const repeated = await repeat(session, now);
            if (repeated) return repeated;
            continue;
          }
          case 'reused':
            await endReused(session, counter, log);
            throw new DomainError('refresh-reused', {
              detail: 'This refresh token was used before, so the session has ended. Sign in again.',
            });
          case 'expired':
            throw new DomainError('token-expired', { detail: 'The session has expired. Sign in again.' });
          case 'ended':
            throw endedProblem(session.endedReason ?? 'logout');
          case 'unknown':
            throw new DomainError('invalid-token', { detail: 'This refresh token was never issued.' });
        }
      }
    },
  };
};
