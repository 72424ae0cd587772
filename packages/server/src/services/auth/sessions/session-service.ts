import { randomBytes } from 'node:crypto';
import type { Session, SessionInfo, User } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { Actor } from '../../../platform/edge/actor.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { Notify } from '../../notifications/index.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Accounts } from '../accounts.ts';
import type { AuthMetrics } from '../auth-metrics.ts';
import {
  isRefreshTokenOf,
  readRefreshToken,
  refreshTokenOf,
  type RefreshTokenName,
} from './refresh-token.ts';
import { seal, sealContexts, unseal, type MasterKeys } from '../keys/sealed.ts';
import {
  decideRefresh,
  endedProblem,
  idleTtlMs,
  isFreshSignIn,
  newSession,
  remainingMs,
  sessionsToEnd,
  utcDayOf,
  type Device,
  type EndReason,
  type StoredSession,
} from './session.ts';
import type { SessionIds } from './session-ids.ts';
import type { SessionStore } from './session-store.ts';
import { viewSession } from './session-view.ts';

export interface SessionEnded {
  readonly sessionId: string;
  readonly reason: EndReason;
}

export interface OpenedSession {
  readonly session: StoredSession;
  /** Sessions that this one ended, see `sessionsToEnd`; to be given to `announceEnded` after the commit. */
  readonly evicted: readonly StoredSession[];
  /** None of the person's sessions was on this device; also where the app does not say which one it is. */
  readonly isNewDevice: boolean;
}

/** Moves the push registrations of ended sessions to the session that replaces them, in the transaction `tx`. */
export type MoveDevices = (from: readonly string[], to: string, tx: ClientSession) => Promise<void>;

export interface SessionService {
  /**
   * Creates a session inside the transaction `tx`. It replaces those of the same `device.id`, and the oldest one where
   * there are ten. Push registrations of a replaced session move to the new one.
   */
  open(userId: string, device: Device, tx: ClientSession): Promise<OpenedSession>;
  announceEnded(sessions: readonly StoredSession[], reason: EndReason): void;
  /** The tokens of a session, with the person. Throws `account-gone`. */
  answer(session: StoredSession): Promise<Session>;
  /** Throws `invalid-token`, `token-expired`, `session-ended`, `refresh-reused` or `account-gone`. */
  refresh(refreshToken: string, log: Logger): Promise<Session>;
  /** The caller's live sessions, newest first. Throws `session-ended` where the caller's own is none of them. */
  list(actor: Actor): Promise<SessionInfo[]>;
  /** Throws `not-found` for a session that has ended or is somebody else's. */
  endOne(actor: Actor, sessionId: string, log: Logger): Promise<void>;
  /** Ends every session of the caller. Throws `session-ended` where their own has ended. */
  endEveryOwn(actor: Actor, log: Logger): Promise<void>;
  /** Ends every session of a person. */
  endAll(userId: string, reason: EndReason, log: Logger): Promise<void>;
  /** Throws `reauth-required` where the actor's sign-in is older than 5 minutes, and `session-ended`. */
  requireFreshSignIn(actor: Actor): Promise<void>;
  /** Ends the session that a token names; one that has ended already is fine. */
  logout(by: { bearer: string | undefined; refreshToken: string | undefined }, log: Logger): Promise<void>;
}

export const createSessionService = (deps: {
  sessions: SessionStore;
  sessionIds: SessionIds;
  accessTokens: AccessTokens;
  accounts: Accounts;
  clock: Clock;
  masterKeys: MasterKeys;
  onEnded: (ended: SessionEnded) => void;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
  notify: Notify;
  moveDevices: MoveDevices;
  metrics: Pick<AuthMetrics, 'refreshReused'>;
}): SessionService => {
  const { sessions, accessTokens, accounts, clock, masterKeys, metrics } = deps;

  const keyOf = ({ id, sealedKey }: StoredSession) => unseal(masterKeys, sealedKey, sealContexts.session(id));

  const end = async (session: StoredSession, reason: EndReason): Promise<boolean> => {
    const ended = await sessions.end(session.id, reason, clock.now());
    if (ended) deps.onEnded({ sessionId: session.id, reason });
    return ended;
  };

  /** The person hears of it on their other phones: either a phone is broken, or somebody has a copy of its key. */
  const endReused = async (session: StoredSession): Promise<boolean> => {
    const { id, userId, device } = session;
    const ended = await deps.inTransaction(async (tx) => {
      const isMine = await sessions.end(id, 'refresh-reused', clock.now(), tx);
      if (isMine) await deps.notify(tx, userId, { kind: 'session-reused', deviceName: device.name });
      return isMine;
    });
    if (ended) deps.onEnded({ sessionId: id, reason: 'refresh-reused' });
    return ended;
  };

  /** A repeated refresh is a use too: once a day it moves the idle limit. Undefined where the session has changed. */
  const keepAlive = async (session: StoredSession, now: number): Promise<StoredSession | undefined> => {
    const lastUsedOn = utcDayOf(now);
    if (lastUsedOn === session.lastUsedOn) return session;
    return sessions.keepAlive(session, { lastUsedOn, idleExpiresAt: now + idleTtlMs });
  };

  const userOf = async (session: StoredSession): Promise<User> => {
    const user = await accounts.view(session.userId);
    if (user) return user;
    await end(session, 'account-gone');
    throw endedProblem('account-gone');
  };

  const tokensFor = async (session: StoredSession, user: User): Promise<Session> => {
    const { id, userId, refreshCounter } = session;
    const access = await accessTokens.mint({
      userId,
      sessionId: id,
      refreshCounter,
      notAfter: session.expiresAt,
    });
    return {
      accessToken: access.token,
      tokenType: 'Bearer',
      expiresIn: access.expiresInSeconds,
      refreshToken: refreshTokenOf({ sessionId: id, counter: refreshCounter }, keyOf(session)),
      refreshExpiresIn: Math.floor(remainingMs(session, clock.now()) / 1000),
      user,
    };
  };

  /** A row that no master key opens (docs/adr/0011) has no tokens. */
  const isOf = (refreshToken: string, name: RefreshTokenName, session: StoredSession): boolean => {
    try {
      return isRefreshTokenOf(refreshToken, name, keyOf(session));
    } catch {
      return false;
    }
  };

  /** The session that a refresh token of ours names, whatever its counter. Throws `invalid-token`. */
  const sessionOf = async (refreshToken: string): Promise<{ session: StoredSession; counter: number }> => {
    const name = readRefreshToken(refreshToken);
    const session = name && (await sessions.find(name.sessionId));
    if (!session || !isOf(refreshToken, name, session))
      throw new DomainError('invalid-token', { detail: 'This is not a refresh token of this server.' });
    return { session, counter: name.counter };
  };

  /** As the database has it now: what ends sessions asks more than the seconds-old answer of every other call (SES-6). */
  const requireLive = async ({ sessionId }: Actor): Promise<StoredSession> => {
    const session = await sessions.find(sessionId);
    if (session?.endedAt !== null) throw endedProblem(session?.endedReason ?? 'logout');
    return session;
  };

  const service: SessionService = {
    async open(userId, device, tx) {
      const now = clock.now();
      const live = await sessions.listLive(userId, now, tx);
      const { replaced, evicted } = sessionsToEnd(live, device.id);
      for (const one of [...replaced, ...evicted]) await sessions.end(one.id, 'logout', now, tx);
      const isNewDevice = device.id === null || !(await sessions.hasDevice(userId, device.id, tx));
      const id = deps.sessionIds.create();
      const number = (live.at(-1)?.number ?? 0) + 1;
      const sealedKey = seal(masterKeys, randomBytes(32), sealContexts.session(id));
      const session = newSession({ id, userId, number, device, sealedKey }, now);
      await sessions.insert(session, tx);
      if (replaced.length > 0)
        await deps.moveDevices(
          replaced.map((one) => one.id),
          id,
          tx,
        );
      return { session, evicted: [...replaced, ...evicted], isNewDevice };
    },

    announceEnded(ended, reason) {
      for (const { id } of ended) deps.onEnded({ sessionId: id, reason });
    },

    answer: async (session) => tokensFor(session, await userOf(session)),

    async refresh(refreshToken, log) {
      for (;;) {
        const { session, counter } = await sessionOf(refreshToken);
        const now = clock.now();
        switch (decideRefresh(session, counter, now)) {
          case 'rotate': {
            const user = await userOf(session);
            const rotated = await sessions.rotate(session, {
              now,
              lastUsedOn: utcDayOf(now),
              idleExpiresAt: now + idleTtlMs,
            });
            if (rotated) {
              log.debug(
                { event: 'auth.refreshed', userId: session.userId, sessionId: session.id },
                'refreshed',
              );
              return tokensFor(rotated, user);
            }
            // Another call with this token was first, or the session has ended: decide again.
            continue;
          }
          case 'repeat': {
            const repeated = await keepAlive(session, now);
            if (repeated) return service.answer(repeated);
            continue;
          }
          case 'reused':
            if (await endReused(session)) {
              metrics.refreshReused();
              log.warn(
                {
                  event: 'auth.refresh_reuse',
                  userId: session.userId,
                  sessionId: session.id,
                  counter,
                  current: session.refreshCounter,
                },
                'an old refresh token came back; its session has ended',
              );
            }
            throw new DomainError('refresh-reused', {
              detail: 'This refresh token was used before, so the session has ended. Sign in again.',
            });
          case 'expired':
            throw new DomainError('token-expired', { detail: 'The session has expired. Sign in again.' });
          case 'ended':
            throw endedProblem(session.endedReason ?? 'logout');
          case 'unknown':
            throw new DomainError('invalid-token', { detail: 'This refresh token was never given out.' });
        }
      }
    },

    async list(actor) {
      const live = await sessions.listLive(actor.userId, clock.now());
      if (!live.some(({ id }) => id === actor.sessionId)) throw endedProblem('logout');
      return live.reverse().map((session) => viewSession(session, actor.sessionId));
    },

    async endOne(actor, sessionId, log) {
      await requireLive(actor);
      const { userId } = actor;
      if (!(await sessions.endOwn({ id: sessionId, userId }, 'logout', clock.now())))
        throw new DomainError('not-found', { detail: 'The caller has no such session.' });
      deps.onEnded({ sessionId, reason: 'logout' });
      log.info({ event: 'auth.session_ended', userId, sessionId }, 'a session was ended by its person');
    },

    async endAll(userId, reason, log) {
      const live = await sessions.listLive(userId, clock.now());
      for (const session of live) await end(session, reason);
      log.info(
        { event: 'auth.all_sessions_ended', userId, count: live.length, reason },
        'signed out everywhere',
      );
    },

    async endEveryOwn(actor, log) {
      await requireLive(actor);
      await service.endAll(actor.userId, 'logout', log);
    },

    async requireFreshSignIn(actor) {
      const session = await requireLive(actor);
      if (!isFreshSignIn(session, clock.now()))
        throw new DomainError('reauth-required', {
          detail: 'This call needs a sign-in of the last 5 minutes. Sign in with Apple again.',
        });
    },

    async logout({ bearer, refreshToken }, log) {
      if (refreshToken === undefined && bearer === undefined)
        throw new DomainError('unauthenticated', {
          detail: 'Send the access token as bearer, or {refreshToken}.',
        });
      const session =
        refreshToken === undefined
          ? await sessions.find((await accessTokens.verify(bearer ?? '')).actor.sessionId)
          : (await sessionOf(refreshToken)).session;
      if (session && (await end(session, 'logout')))
        log.info({ event: 'auth.logout', userId: session.userId, sessionId: session.id }, 'signed out');
    },
  };
  return service;
};
