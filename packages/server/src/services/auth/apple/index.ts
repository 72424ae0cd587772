/** Room of Apple: identity tokens, links to Apple identities, grants and their revocation, notifications. */
import type { Connection } from 'mongoose';
import { dayMs } from '../../../domain/durations.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Route } from '../../../platform/http/route.ts';
import { createOutboxStore } from '../../../platform/outbox/outbox-store.ts';
import { createOutboxWorker, type OutboxWorker } from '../../../platform/outbox/outbox-worker.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { breakerMetrics, type AuthMetrics } from '../auth-metrics.ts';
import { masterKeysOf, type AuthConfig } from '../auth-config.ts';
import type { Accounts } from '../ports.ts';
import type { SessionService } from '../sessions/session-service.ts';
import { createClientSecrets } from './apple-client-secret.ts';
import { createAppleGrants, type AppleGrants, type Revocation } from './apple-grants.ts';
import { identityTokenVerifier, type VerifyIdentityToken } from './apple-identity-token.ts';
import { createAppleKeys } from './apple-keys.ts';
import { createAppleLinkStore, type AppleLinkStore } from './apple-link-store.ts';
import { notificationReader } from './apple-notification.ts';
import { createAppleNotificationService, type PendingEvent } from './apple-notification-service.ts';
import { createAppleTokenApi } from './apple-token-api.ts';
import { appleWebhookRoutes } from './apple-webhook-routes.ts';

export interface Apple {
  readonly verifyIdentityToken: VerifyIdentityToken;
  readonly links: AppleLinkStore;
  readonly grants: AppleGrants;
  readonly routes: readonly Route[];
  readonly outboxes: readonly { removeLongDone(now: number): Promise<void> }[];
  /** Apply Apple's notifications, and revoke grants. */
  readonly workers: readonly OutboxWorker[];
  /** Fetches Apple's keys in the background, so that a start logs a wrong clock or an unreachable Apple. */
  prefetchKeys(): void;
  ensureIndexes(): Promise<void>;
}

/** How long a revocation or a notification is retried (SIWA-9). */
const giveUpAfterMs = 7 * dayMs;

export const createApple = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  metrics: AuthMetrics;
  config: AuthConfig;
  accounts: Accounts;
  sessions: Pick<SessionService, 'endAll'>;
}): Apple => {
  const { connection, clock, log, metrics, config, accounts, sessions } = deps;
  const { appleBaseUrl: baseUrl, appleTeam: team, appleTimeLimits: limits } = config;
  const keys = createAppleKeys({ url: `${baseUrl}/auth/keys`, clock, log, metrics, limits });
  const trusted = { keys, clock, issuers: config.appleIssuers, clientIds: config.appleClientIds };
  const verifyIdentityToken = identityTokenVerifier(trusted);
  const links = createAppleLinkStore(connection);
  const revocations = createOutboxStore<Revocation>(connection, 'applerevocations');
  const received = createOutboxStore<PendingEvent>(connection, 'applenotifications');
  const grants = createAppleGrants({
    api:
      team &&
      createAppleTokenApi({
        baseUrl,
        clientSecret: createClientSecrets(team, clock),
        clock,
        watch: breakerMetrics(metrics, 'tokens'),
        limits,
      }),
    verifyIdentityToken,
    outbox: revocations,
    masterKeys: masterKeysOf(config),
    clock,
  });
  const notifications = createAppleNotificationService({
    read: notificationReader(trusted),
    received,
    onStored: () => {
      notificationWorker.kick();
    },
    links,
    sessions,
    accounts,
    clock,
    log,
  });
  const notificationWorker = createOutboxWorker({
    name: 'apple-notifications',
    store: received,
    handle: notifications.apply,
    giveUpAfterMs,
    clock,
    log,
  });
  const revocationWorker = createOutboxWorker({
    name: 'apple-revocations',
    store: revocations,
    handle: grants.revoke,
    giveUpAfterMs,
    clock,
    log,
  });
  return {
    verifyIdentityToken,
    links,
    grants,
    routes: appleWebhookRoutes(notifications),
    outboxes: [received, revocations],
    workers: [notificationWorker, revocationWorker],
    prefetchKeys: keys.prefetch,
    async ensureIndexes() {
      for (const store of [links, received, revocations]) await store.ensureIndexes();
    },
  };
};
