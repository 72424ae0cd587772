import { randomBytes } from 'node:crypto';
import type { Session, SessionInfo, User } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import type { Actor } from '../../../platform/edge/actor.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { seal, sealContexts, type MasterKeys } from '../keys/sealed.ts';
import type { Accounts, DeviceRegistry, SessionEnded } from '../ports.ts';
import type { AccessTokens } from './access-tokens.ts';
import {
  endedProblem,
  isFreshSignIn,
  newSession,
  sessionsToEnd,
  type Device,
  type EndReason,
  type StoredSession,
} from './session.ts';
import type { SessionIds } from './session-ids.ts';
import type { SessionIssuer } from './session-issuer.ts';
import type { SessionStore } from './session-store.ts';

export interface OpenedSession {
  readonly session: StoredSession;
  /** Sessions that this one ended, see `sessionsToEnd`; pass them to `publishEnded` after the commit. */
  readonly evicted: readonly StoredSession[];
  /** None of the account's sessions was on this device; also true if the app sends no device id. */
  readonly isNewDevice: boolean;
}

export interface SessionService {
  /**
   * Creates a session inside the transaction `tx`. It replaces those of the same `device.id`, and the oldest one if
   * there are ten. Push registrations of a replaced session move to the new one.
   */
  open(userId: string, device: Device, tx: ClientSession): Promise<OpenedSession>;
  publishEnded(sessions: readonly StoredSession[], reason: EndReason): void;
  /** The current tokens of a session, with the user. Throws `account-gone`. */
  issueTokens(session: StoredSession): Promise<Session>;
  /** The account of a session. Ends the session and throws `account-gone` if the account does not exist. */
  requireAccount(session: StoredSession): Promise<User>;
  /** The caller's live sessions, newest first. Throws `session-ended` if the caller's own is not among them. */
  list(actor: Actor): Promise<SessionInfo[]>;
  /** Throws `not-found` for a session that has ended or belongs to another account. */
  endOne(actor: Actor, sessionId: string, log: Logger): Promise<void>;
  /** Ends every session of the caller. Throws `session-ended` if the caller's own has ended. */
  endAllOwn(actor: Actor, log: Logger): Promise<void>;
  /** Ends every session of an account. */
  endAll(userId: string, reason: EndReason, log: Logger): Promise<void>;
  /** Throws `reauth-required` if the actor's sign-in is older than 5 minutes, and `session-ended`. */
  requireFreshSignIn(actor: Actor): Promise<void>;
  /** Ends the session that a token names; a no-op if it has ended. */
  logout(by: { bearer: string | undefined; refreshToken: string | undefined }, log: Logger): Promise<void>;
}

/** Opens, lists and ends sessions. */
export const createSessionService = (deps: {
  store: SessionStore;
  sessionIds: SessionIds;
  issuer: SessionIssuer;
  accessTokens: AccessTokens;
  accounts: Accounts;
  devices: DeviceRegistry;
  clock: Clock;
  masterKeys: MasterKeys;
  onEnded: (ended: SessionEnded) => void;
}): SessionService => {
  const { store, issuer, accessTokens, accounts, devices, clock, masterKeys } = deps;

  const end = async (session: StoredSession, reason: EndReason): Promise<boolean> => {
    const ended = await store.end(session.id, reason, clock.now());
    if (ended) deps.onEnded({ sessionId: session.id, reason });
    return ended;
  };

  /** Reads the database: ending sessions needs more than the cached state that other calls accept (SES-6). */
  const requireLive = async ({ sessionId }: Actor): Promise<StoredSession> => {
    const session = await store.find(sessionId);
    if (session?.endedAt !== null) throw endedProblem(session?.endedReason ?? 'logout');
    return session;
  };

  const service: SessionService = {
    async open(userId, device, tx) {
      const now = clock.now();
      const live = await store.listLive(userId, now, tx);
      const { replaced, evicted } = sessionsToEnd(live, device.id);
      for (const one of [...replaced, ...evicted]) await store.end(one.id, 'logout', now, tx);
      const isNewDevice = device.id === null || !(await store.hasDevice(userId, device.id, tx));
      const id = deps.sessionIds.create();
      const number = (live.at(-1)?.number ?? 0) + 1;
      const sealedKey = seal(masterKeys, randomBytes(32), sealContexts.session(id));
      const session = newSession({ id, userId, number, device, sealedKey }, now);
      await store.insert(session, tx);
      if (replaced.length > 0)
        await devices.moveDevices(
          replaced.map((one) => one.id),
          id,
          tx,
        );
      return { session, evicted: [...replaced, ...evicted], isNewDevice };
    },

    publishEnded(ended, reason) {
      for (const { id } of ended) deps.onEnded({ sessionId: id, reason });
    },

    issueTokens: async (session) => issuer.issue(session, await service.requireAccount(session)),

    async requireAccount(session) {
      const user = await accounts.view(session.userId);
      if (user) return user;
      await end(session, 'account-gone');
      throw endedProblem('account-gone');
    },

    async list(actor) {
      const live = await store.listLive(actor.userId, clock.now());
      if (!live.some(({ id }) => id === actor.sessionId)) throw endedProblem('logout');
      return live.reverse().map(({ id, device, createdAt, lastUsedOn }) => ({
        id,
        device,
        createdAt: new Date(createdAt).toISOString(),
        lastUsedOn,
        current: id === actor.sessionId,
      }));
    },

    async endOne(actor, sessionId, log) {
      await requireLive(actor);
      const { userId } = actor;
      if (!(await store.endOwn({ id: sessionId, userId }, 'logout', clock.now())))
        throw new DomainError('not-found', { detail: 'The caller has no such session.' });
      deps.onEnded({ sessionId, reason: 'logout' });
      log.info({ event: 'auth.session_ended', userId, sessionId }, 'session ended by the account owner');
    },

    async endAll(userId, reason, log) {
      const live = await store.listLive(userId, clock.now());
      for (const session of live) await end(session, reason);
      log.info(
        { event: 'auth.all_sessions_ended', userId, count: live.length, reason },
        'all sessions ended',
      );
    },

    async endAllOwn(actor, log) {
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
          ? await store.find((await accessTokens.verify(bearer ?? '')).actor.sessionId)
          : (await issuer.findByRefreshToken(refreshToken)).session;
      if (session && (await end(session, 'logout')))
        log.info({ event: 'auth.logout', userId: session.userId, sessionId: session.id }, 'logged out');
    },
  };
  return service;
};
