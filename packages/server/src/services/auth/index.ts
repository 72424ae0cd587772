/**
 * auth: owns sessions, nonces, signing keys and the links to Apple identities. It says who calls; it never decides what
 * they may do, and keeps nothing of a person but ids and the names of their devices.
 */
import { serverEvents } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import type { Actor, Authenticate } from '../../platform/edge/actor.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import { createOutboxStore } from '../../platform/outbox/outbox-store.ts';
import { createOutboxWorker } from '../../platform/outbox/outbox-worker.ts';
import { inTransaction } from '../../platform/mongo/transaction.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import type { Notify } from '../notifications/index.ts';
import { createAccessTokens } from './sessions/access-tokens.ts';
import { createAccountClosing, type AccountClosing } from './account-closing.ts';
import type { Accounts } from './accounts.ts';
import { createClientSecrets, type AppleTeam } from './apple/apple-client-secret.ts';
import { createAppleGrants, type Revocation } from './apple/apple-grants.ts';
import { identityTokenVerifier } from './apple/apple-identity-token.ts';
import { createAppleKeys } from './apple/apple-keys.ts';
import { createAppleLinkStore } from './apple/apple-link-store.ts';
import { notificationReader } from './apple/apple-notification.ts';
import { createAppleNotifications, type PendingEvent } from './apple/apple-notification-service.ts';
import type { AppleTimeLimits } from './apple/apple-time-limits.ts';
import { createAppleTokenApi } from './apple/apple-token-api.ts';
import { authRoutes } from './auth-routes.ts';
import { createAuthMetrics, type AppleService, type AuthMetrics } from './auth-metrics.ts';
import { createAuthenticator } from './sessions/authenticator.ts';
import type { DeviceCheckMode } from './sign-in/device-check.ts';
import { createDeviceCheckApi } from './sign-in/device-check-api.ts';
import { createDeviceGate } from './sign-in/device-check-service.ts';
import { createNonceStore } from './sign-in/nonce-store.ts';
import { resealJob } from './keys/reseal-job.ts';
import type { MasterKeys } from './keys/sealed.ts';
import { createSealedStore } from './keys/sealed-store.ts';
import { createSessionIds } from './sessions/session-ids.ts';
import { createSessionService, type MoveDevices, type SessionEnded } from './sessions/session-service.ts';
import { createSessionStore } from './sessions/session-store.ts';
import { createSignInService } from './sign-in/sign-in-service.ts';
import { createSigningKeyStore } from './keys/signing-key-store.ts';
import { createSigningKeys } from './keys/signing-keys.ts';
import { createSessionWatch } from './sessions/session-watch.ts';
import { createSweep } from './sweep.ts';
import { createKeyedMutex } from '../../platform/concurrency/keyed-mutex.ts';

export type { DeviceCheckMode } from './sign-in/device-check.ts';
export type { AppleTeam } from './apple/apple-client-secret.ts';
export type { AppleTimeLimits } from './apple/apple-time-limits.ts';
export type { AccountClosing } from './account-closing.ts';
export type { Accounts, NewAccount, SignInDetails } from './accounts.ts';
export { rotateSigningKeys } from './keys/rotate-keys.ts';
export { maxLiveSessions } from './sessions/session.ts';
export type { SessionEnded } from './sessions/session-service.ts';

export interface AuthConfig {
  /** Apple's keys are fetched from `/auth/keys` under it. */
  readonly appleBaseUrl: string;
  readonly appleIssuers: readonly string[];
  /** The audiences that identity tokens are accepted for: bundle ids. */
  readonly appleClientIds: readonly string[];
  /** Undefined: authorization codes are not spent, and nothing is revoked at Apple. */
  readonly appleTeam: AppleTeam | undefined;
  readonly deviceCheckMode: DeviceCheckMode;
  /** DeviceCheck's host; looked at where the mode is not `off`. */
  readonly deviceCheckBaseUrl: string;
  /** Those of production unless given. */
  readonly appleTimeLimits?: AppleTimeLimits | undefined;
  /** `iss` of the access tokens. */
  readonly publicUrl: string;
  /** 32 bytes. */
  readonly masterKey: Buffer;
  /** One that still opens what it has sealed. */
  readonly previousMasterKey?: Buffer | undefined;
}

export interface Auth {
  /** Throws `invalid-token`, `token-expired`, `session-ended` or `account-gone`. Answers at once where it can. */
  authenticate: Authenticate;
  /** Throws `reauth-required` where the actor's sign-in is older than 5 minutes (SES-9). */
  requireFreshSignIn(actor: Actor): Promise<void>;
  /** Those of the sessions that have ended. */
  endedSessions(sessionIds: readonly string[]): Promise<string[]>;
  /** Another process has ended a session; its sockets are told by their own way. */
  sessionEndedElsewhere(message: unknown): void;
  /** Looks at once whether the sessions of the open sockets still live; it is done every 2 s anyway. */
  checkOpenSessions(): Promise<void>;
  /** auth's part in the erasure of a person. */
  closing: AccountClosing;
  routes: Route[];
  jobs: Job[];
  ensureIndexes(): Promise<void>;
  /** After the indexes. Throws where the master key is not the one of this database. */
  start(): Promise<void>;
  /** Does what is due of Apple's notifications and revocations now; it is looked for every 2 s anyway. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const SessionEndedMessage = z.object({
  sessionId: z.string(),
  reason: serverEvents.sessionEnded.shape.reason,
});

/** How long a promise to Apple, or one of Apple's, is kept alive (SIWA-9). */
const week = 7 * 24 * 60 * 60_000;

const watchOf = (metrics: AuthMetrics, service: AppleService) => ({
  unavailable: () => {
    metrics.appleUnavailable(service);
  },
  changed: (isOpen: boolean) => {
    metrics.appleCircuit(service, isOpen);
  },
});

const appleTokenApiOf = (
  { appleBaseUrl: baseUrl, appleTimeLimits: limits }: AuthConfig,
  team: AppleTeam,
  parts: { clock: Clock; metrics: AuthMetrics },
) =>
  createAppleTokenApi({
    baseUrl,
    limits,
    clientSecret: createClientSecrets(team, parts.clock),
    clock: parts.clock,
    watch: watchOf(parts.metrics, 'tokens'),
  });

const deviceGateOf = (
  {
    deviceCheckMode: mode,
    deviceCheckBaseUrl: baseUrl,
    appleTeam: team,
    appleTimeLimits: limits,
  }: AuthConfig,
  parts: { clock: Clock; metrics: AuthMetrics },
) => {
  if (mode === 'off') return createDeviceGate({ ...parts, mode, query: undefined });
  if (!team) throw new Error('DEVICECHECK_MODE needs APPLE_TEAM_ID, APPLE_KEY_ID and APPLE_PRIVATE_KEY.');
  const watch = watchOf(parts.metrics, 'devicecheck');
  const query = createDeviceCheckApi({ baseUrl, team, clock: parts.clock, watch, limits });
  return createDeviceGate({ ...parts, mode, query });
};

/** The keys that a configuration gives, the one that seals first. */
export const masterKeysOf = (config: Pick<AuthConfig, 'masterKey' | 'previousMasterKey'>): MasterKeys => [
  config.masterKey,
  ...(config.previousMasterKey ? [config.previousMasterKey] : []),
];

export const createAuth = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  config: AuthConfig;
  accounts: Accounts;
  /** Puts a notice of security into a person's inbox, inside the transaction. */
  notify: Notify;
  moveDevices: MoveDevices;
  /** A session has ended, here or at another process: its sockets have to close. */
  onSessionEnded: (ended: SessionEnded) => void;
  /** The sessions of the sockets that this process holds. */
  openSessions: () => readonly string[];
}): Auth => {
  const { connection, clock, log, config, accounts } = deps;
  const masterKeys = masterKeysOf(config);
  const metrics = createAuthMetrics(deps.metrics);
  const nonces = createNonceStore(connection);
  const links = createAppleLinkStore(connection);
  const sessionStore = createSessionStore(connection);
  const keyStore = createSigningKeyStore(connection);

  const keys = createSigningKeys({ store: keyStore, clock, log, masterKeys });
  const accessTokens = createAccessTokens({ keys, clock, issuer: config.publicUrl });
  const sessionIds = createSessionIds(masterKeys);
  const authenticator = createAuthenticator({
    accessTokens,
    sessionIds,
    sessions: sessionStore,
    accounts,
    clock,
  });
  const onEnded = (ended: SessionEnded) => {
    authenticator.sessionEnded(ended.sessionId, ended.reason);
    deps.onSessionEnded(ended);
  };
  const watch = createSessionWatch({ sessions: sessionStore, openSessions: deps.openSessions, onEnded, log });
  const sessions = createSessionService({
    sessions: sessionStore,
    sessionIds,
    accessTokens,
    accounts,
    clock,
    masterKeys,
    onEnded,
    inTransaction: (work) => inTransaction(connection, work),
    notify: deps.notify,
    moveDevices: deps.moveDevices,
    metrics,
  });
  const appleKeys = createAppleKeys({
    url: `${config.appleBaseUrl}/auth/keys`,
    clock,
    log,
    metrics,
    limits: config.appleTimeLimits,
  });
  const apple = { keys: appleKeys, clock };
  const trusted = { issuers: config.appleIssuers, clientIds: config.appleClientIds };
  const verifyIdentityToken = identityTokenVerifier({ ...apple, ...trusted });
  const revocations = createOutboxStore<Revocation>(connection, 'applerevocations');
  const inbox = createOutboxStore<PendingEvent>(connection, 'applenotifications');
  const grants = createAppleGrants({
    api: config.appleTeam && appleTokenApiOf(config, config.appleTeam, { clock, metrics }),
    verifyIdentityToken,
    outbox: revocations,
    masterKeys,
    clock,
  });
  const notifications = createAppleNotifications({
    read: notificationReader({ ...apple, ...trusted }),
    inbox,
    onKept: () => {
      inboxWorker.kick();
    },
    links,
    sessions,
    accounts,
    clock,
    log,
  });
  const inboxWorker = createOutboxWorker({
    name: 'apple-notifications',
    store: inbox,
    handle: notifications.apply,
    giveUpAfterMs: week,
    clock,
    log,
  });
  const revoker = createOutboxWorker({
    name: 'apple-revocations',
    store: revocations,
    handle: grants.revoke,
    giveUpAfterMs: week,
    clock,
    log,
  });
  const workers = [inboxWorker, revoker];
  const signIns = createSignInService({
    verifyIdentityToken,
    nonces,
    links,
    grants,
    devices: deviceGateOf(config, { clock, metrics }),
    sessions,
    accounts,
    inTransaction: (work) => inTransaction(connection, work),
    notify: deps.notify,
    runExclusive: createKeyedMutex(clock),
    clock,
    metrics,
  });
  const sweep = createSweep({
    nonces,
    sessions: sessionStore,
    keys: keyStore,
    outboxes: [inbox, revocations],
    clock,
    log,
  });

  return {
    authenticate: authenticator.authenticate,
    requireFreshSignIn: sessions.requireFreshSignIn,
    endedSessions: async (ids) => (await sessionStore.findEnded(ids)).map(({ id }) => id),
    sessionEndedElsewhere(message) {
      const parsed = SessionEndedMessage.safeParse(message);
      if (parsed.success) authenticator.sessionEnded(parsed.data.sessionId, parsed.data.reason);
    },
    checkOpenSessions: watch.check,
    closing: createAccountClosing({
      links,
      grants,
      sessions: sessionStore,
      announceEnded: sessions.announceEnded,
      clientIds: config.appleClientIds,
      clock,
    }),
    jobs: [resealJob({ rows: createSealedStore(connection), masterKeys })],
    routes: authRoutes({ signIns, sessions, keys, notifications, accessTokens, sessionIds }),
    async ensureIndexes() {
      for (const store of [nonces, links, sessionStore, keyStore, inbox, revocations])
        await store.ensureIndexes();
    },
    async start() {
      await keys.start();
      appleKeys.warm();
      sweep.start();
      watch.start();
      for (const worker of workers) worker.start();
    },
    async settle() {
      for (const worker of workers) await worker.run();
    },
    async stop() {
      for (const part of [watch, ...workers, sweep, keys]) await part.stop();
    },
  };
};
