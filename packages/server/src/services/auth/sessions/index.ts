/** Room of the sessions: tokens, refresh, listing, logout, and the authentication of each call. */
import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import { z } from 'zod';
import { serverEvents } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import type { Poller } from '../../../platform/concurrency/poller.ts';
import type { Route } from '../../../platform/http/route.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { AuthMetrics } from '../auth-metrics.ts';
import type { MasterKeys } from '../keys/sealed.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { Accounts, DeviceRegistry, NotificationInbox, OpenSockets, SessionEnded } from '../ports.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createAuthenticator, type Authenticator } from './authenticator.ts';
import { logoutRoutes } from './logout-routes.ts';
import { refreshRoutes } from './refresh-routes.ts';
import { createRefreshService } from './refresh-service.ts';
import { createSessionIds } from './session-ids.ts';
import { createSessionIssuer } from './session-issuer.ts';
import { createSessionPoller } from './session-poller.ts';
import { sessionRoutes } from './session-routes.ts';
import { createSessionService, type SessionService } from './session-service.ts';
import { createSessionStore, type SessionStore } from './session-store.ts';

export interface Sessions {
  readonly service: SessionService;
  readonly store: SessionStore;
  readonly authenticate: Authenticator['authenticate'];
  /** Handles the bus message of a session that another process has ended. */
  onRemoteSessionEnded(message: unknown): void;
  readonly poller: Poller;
  readonly routes: readonly Route[];
}

const SessionEndedMessage = z.object({
  sessionId: z.string(),
  reason: serverEvents.sessionEnded.shape.reason,
});

export const createSessions = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  metrics: AuthMetrics;
  masterKeys: MasterKeys;
  signingKeys: SigningKeys;
  /** `iss` of the access tokens. */
  publicUrl: string;
  accounts: Accounts;
  inbox: NotificationInbox;
  devices: DeviceRegistry;
  sockets: OpenSockets;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
}): Sessions => {
  const { clock, log, metrics, masterKeys, accounts, inbox, devices, sockets, inTransaction } = deps;
  const store = createSessionStore(deps.connection);
  const accessTokens = createAccessTokens({ keys: deps.signingKeys, clock, issuer: deps.publicUrl });
  const sessionIds = createSessionIds(masterKeys);
  const authenticator = createAuthenticator({ accessTokens, sessionIds, sessions: store, accounts, clock });
  const onEnded = (ended: SessionEnded) => {
    authenticator.markEnded(ended);
    sockets.sessionEnded(ended);
  };
  const issuer = createSessionIssuer({ sessions: store, accessTokens, masterKeys, clock });
  const service = createSessionService({
    store,
    sessionIds,
    issuer,
    accessTokens,
    accounts,
    devices,
    clock,
    masterKeys,
    onEnded,
  });
  const refreshes = createRefreshService({
    store,
    issuer,
    sessions: service,
    inbox,
    inTransaction,
    onEnded,
    clock,
    metrics,
  });
  return {
    service,
    store,
    authenticate: authenticator.authenticate,
    onRemoteSessionEnded(message) {
      const parsed = SessionEndedMessage.safeParse(message);
      if (parsed.success) authenticator.markEnded(parsed.data);
    },
    poller: createSessionPoller({ sessions: store, sockets, onEnded, log }),
    routes: [
      ...refreshRoutes({ refreshes, sessionIds: authenticator }),
      ...logoutRoutes({ sessions: service, accessTokens, sessionIds: authenticator }),
      ...sessionRoutes({ sessions: service }),
    ],
  };
};
