/**
 * auth: owns sessions, nonces, signing keys and the links to Apple identities. It authenticates callers; it does not
 * authorize them. Of a person it stores only ids and device names.
 */
import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import type { Actor, Authenticate } from '../../platform/edge/actor.ts';
import type { Route } from '../../platform/http/route.ts';
import { inTransaction } from '../../platform/mongo/transaction.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import { createAccountClosing, type AccountClosing } from './account-closing.ts';
import { createApple } from './apple/index.ts';
import { createAuthMetrics } from './auth-metrics.ts';
import { authCleanupJob } from './cleanup-job.ts';
import { masterKeysOf, type AuthConfig } from './auth-config.ts';
import { createKeys } from './keys/index.ts';
import type { Accounts, DeviceRegistry, NotificationInbox, OpenSockets } from './ports.ts';
import { createSessions } from './sessions/index.ts';
import { createSignIn } from './sign-in/index.ts';

export type { AccountClosing } from './account-closing.ts';
export type { AppleTeam } from './apple/apple-client-secret.ts';
export type { AppleTimeLimits } from './apple/apple-time-limits.ts';
export { masterKeysOf, type AuthConfig } from './auth-config.ts';
export { rotateSigningKeys } from './keys/rotate-keys.ts';
export type { Accounts, NewAccount, SessionEnded, SignInDetails } from './ports.ts';
export { maxLiveSessions } from './sessions/session.ts';
export type { DeviceCheckMode } from './sign-in/device-check.ts';

export interface Auth {
  /** Throws `invalid-token`, `token-expired`, `session-ended` or `account-gone`. Synchronous if the result is cached. */
  authenticate: Authenticate;
  /** Throws `reauth-required` if the actor's sign-in is older than 5 minutes (SES-9). */
  requireFreshSignIn(actor: Actor): Promise<void>;
  /** The ended ones among the sessions. */
  endedSessions(sessionIds: readonly string[]): Promise<string[]>;
  /** Handles the bus message of a session that another process has ended. */
  onRemoteSessionEnded(message: unknown): void;
  /** auth's part in the deletion of an account. */
  closing: AccountClosing;
  routes: Route[];
  jobs: Job[];
  ensureIndexes(): Promise<void>;
  /** After the indexes. Throws if the master key is not the one of this database. */
  start(): Promise<void>;
  /** Applies due notifications of Apple and due revocations now; the workers do so every 2 s. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export const createAuth = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  config: AuthConfig;
  accounts: Accounts;
  inbox: NotificationInbox;
  devices: DeviceRegistry;
  sockets: OpenSockets;
}): Auth => {
  const { connection, clock, log, config, accounts, inbox, devices, sockets } = deps;
  const metrics = createAuthMetrics(deps.metrics);
  const masterKeys = masterKeysOf(config);
  const shared = {
    connection,
    clock,
    log,
    metrics,
    config,
    masterKeys,
    accounts,
    inbox,
    inTransaction: <T>(work: (tx: ClientSession) => Promise<T>, onUnknownOutcome?: () => void) =>
      inTransaction(connection, work, onUnknownOutcome),
  };
  const keys = createKeys(shared);
  const { signingKeys } = keys;
  const sessions = createSessions({ ...shared, publicUrl: config.publicUrl, signingKeys, devices, sockets });
  const apple = createApple({ ...shared, sessions: sessions.service });
  const signIn = createSignIn({ ...shared, apple, sessions: sessions.service });
  const { outboxes, workers } = apple;
  const cleanup = authCleanupJob({
    ...{ nonces: signIn.nonces, sessions: sessions.store, signingKeys: keys, outboxes, clock },
  });

  return {
    authenticate: sessions.authenticate,
    requireFreshSignIn: sessions.service.requireFreshSignIn,
    endedSessions: async (ids) => (await sessions.store.findEnded(ids)).map(({ id }) => id),
    onRemoteSessionEnded: sessions.onRemoteSessionEnded,
    closing: createAccountClosing({
      links: apple.links,
      grants: apple.grants,
      sessions: sessions.store,
      publishEnded: sessions.service.publishEnded,
      clientIds: config.appleClientIds,
      clock,
    }),
    jobs: [...keys.jobs, cleanup],
    routes: [...signIn.routes, ...sessions.routes, ...apple.routes, ...keys.routes],
    async ensureIndexes() {
      for (const owner of [signIn.nonces, apple, sessions.store, keys]) await owner.ensureIndexes();
    },
    async start() {
      await signingKeys.start();
      apple.prefetchKeys();
      for (const part of [sessions.poller, ...workers]) part.start();
    },
    async drain() {
      for (const worker of workers) await worker.run();
    },
    async stop() {
      for (const part of [sessions.poller, ...workers, signingKeys]) await part.stop();
    },
  };
};
