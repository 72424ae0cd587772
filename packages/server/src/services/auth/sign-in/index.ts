/** Room of the sign-in: nonces, device checks, and the account and session that a sign-in opens. */
import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { createKeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';
import type { Route } from '../../../platform/http/route.ts';
import type { Apple } from '../apple/index.ts';
import { breakerMetrics, type AuthMetrics } from '../auth-metrics.ts';
import type { AuthConfig } from '../auth-config.ts';
import type { Accounts, NotificationInbox } from '../ports.ts';
import type { SessionService } from '../sessions/session-service.ts';
import { appleSignInRoutes } from './apple-sign-in-routes.ts';
import { createDeviceCheckApi } from './device-check-api.ts';
import { createDeviceCheckService } from './device-check-service.ts';
import { createNonceStore, type NonceStore } from './nonce-store.ts';
import { createSignInService } from './sign-in-service.ts';

export interface SignIn {
  readonly nonces: NonceStore;
  readonly routes: readonly Route[];
}

export const createSignIn = (deps: {
  connection: Connection;
  clock: Clock;
  metrics: AuthMetrics;
  config: AuthConfig;
  apple: Pick<Apple, 'verifyIdentityToken' | 'links' | 'grants'>;
  sessions: SessionService;
  accounts: Accounts;
  inbox: NotificationInbox;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>, onUnknownOutcome?: () => void) => Promise<T>;
}): SignIn => {
  const { clock, metrics, apple } = deps;
  const nonces = createNonceStore(deps.connection);
  const service = createSignInService({
    verifyIdentityToken: apple.verifyIdentityToken,
    links: apple.links,
    grants: apple.grants,
    nonces,
    devices: deviceChecksOf(deps.config, { clock, metrics }),
    sessions: deps.sessions,
    accounts: deps.accounts,
    inbox: deps.inbox,
    inTransaction: deps.inTransaction,
    runExclusive: createKeyedMutex(clock),
    clock,
    metrics,
  });
  return { nonces, routes: appleSignInRoutes(service) };
};

const deviceChecksOf = (
  { deviceCheckMode: mode, deviceCheckBaseUrl: baseUrl, appleTeam: team, appleTimeLimits }: AuthConfig,
  { clock, metrics }: { clock: Clock; metrics: AuthMetrics },
) => {
  if (mode === 'off') return createDeviceCheckService({ mode, query: undefined, clock, metrics });
  if (!team) throw new Error('DEVICECHECK_MODE needs APPLE_TEAM_ID, APPLE_KEY_ID and APPLE_PRIVATE_KEY.');
  const watch = breakerMetrics(metrics, 'devicecheck');
  const query = createDeviceCheckApi({ baseUrl, team, clock, watch, limits: appleTimeLimits });
  return createDeviceCheckService({ mode, query, clock, metrics });
};
