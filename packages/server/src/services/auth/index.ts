/**
 * auth: owns sessions, nonces, signing keys and the links to Apple identities. It says who calls; it never decides what
 * they may do, and keeps nothing of a person but ids and the names of their devices.
 */
import type { Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import type { Actor, Authenticate, Route } from '../../platform/http/route.ts';
import type { Logger } from '../../platform/logger.ts';
import { inTransaction } from '../../platform/mongo/transaction.ts';
import { createAccessTokens } from './access-tokens.ts';
import type { Accounts } from './accounts.ts';
import { identityTokenVerifier } from './apple-identity-token.ts';
import { createAppleKeys } from './apple-keys.ts';
import { createAppleLinkStore } from './apple-link-store.ts';
import { authRoutes } from './auth-routes.ts';
import { createAuthenticator } from './authenticator.ts';
import { createNonceStore } from './nonce-store.ts';
import { createSessionService, type SessionEnded } from './session-service.ts';
import { createSessionStore } from './session-store.ts';
import { createSignInService } from './sign-in-service.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import { createSigningKeys } from './signing-keys.ts';
import { createSessionWatch } from './session-watch.ts';
import { createSweep } from './sweep.ts';
import { createTurns } from './turns.ts';

export type { Accounts, NewAccount, SignInDetails } from './accounts.ts';
export { rotateSigningKeys } from './rotate-keys.ts';
export { maxLiveSessions } from './session.ts';
export type { SessionEnded } from './session-service.ts';

export interface AuthConfig {
  /** Apple's keys are fetched from `/auth/keys` under it. */
  readonly appleBaseUrl: string;
  readonly appleIssuers: readonly string[];
  /** The audiences that identity tokens are accepted for: bundle ids. */
  readonly appleClientIds: readonly string[];
  /** `iss` of the access tokens. */
  readonly publicUrl: string;
  /** 32 bytes. */
  readonly masterKey: Buffer;
}

export interface Auth {
  /** Throws `invalid-token`, `token-expired`, `session-ended` or `account-gone`. Answers at once where it can. */
  authenticate: Authenticate;
  /** Throws `reauth-required` where the actor's sign-in is older than 5 minutes (SES-9). */
  requireFreshSignIn(actor: Actor): Promise<void>;
  /** Looks at once whether the sessions of the open sockets still live; it is done every 2 s anyway. */
  checkOpenSessions(): Promise<void>;
  routes: Route[];
  ensureIndexes(): Promise<void>;
  /** After the indexes. Throws where the master key is not the one of this database. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const createAuth = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  config: AuthConfig;
  accounts: Accounts;
  /** A session has ended, here or at another process: its sockets have to close. */
  onSessionEnded: (ended: SessionEnded) => void;
  /** The sessions of the sockets that this process holds. */
  openSessions: () => readonly string[];
}): Auth => {
  const { connection, clock, log, config, accounts } = deps;
  const { masterKey } = config;
  const nonces = createNonceStore(connection);
  const links = createAppleLinkStore(connection);
  const sessionStore = createSessionStore(connection);
  const keyStore = createSigningKeyStore(connection);

  const keys = createSigningKeys({ store: keyStore, clock, log, masterKey });
  const accessTokens = createAccessTokens({ keys, clock, issuer: config.publicUrl });
  const authenticator = createAuthenticator({ accessTokens, sessions: sessionStore, accounts, clock });
  const onEnded = (ended: SessionEnded) => {
    authenticator.sessionEnded(ended.sessionId, ended.reason);
    deps.onSessionEnded(ended);
  };
  const watch = createSessionWatch({ sessions: sessionStore, openSessions: deps.openSessions, onEnded, log });
  const sessions = createSessionService({
    sessions: sessionStore,
    accessTokens,
    accounts,
    clock,
    masterKey,
    onEnded,
  });
  const signIns = createSignInService({
    verifyIdentityToken: identityTokenVerifier({
      keys: createAppleKeys({ url: `${config.appleBaseUrl}/auth/keys`, clock, log }),
      clock,
      issuers: config.appleIssuers,
      clientIds: config.appleClientIds,
    }),
    nonces,
    links,
    sessions,
    accounts,
    inTransaction: (work) => inTransaction(connection, work),
    turns: createTurns(clock),
    clock,
  });
  const sweep = createSweep({ nonces, sessions: sessionStore, keys: keyStore, clock, log });

  return {
    authenticate: authenticator.authenticate,
    requireFreshSignIn: sessions.requireFreshSignIn,
    checkOpenSessions: watch.check,
    routes: authRoutes({ signIns, sessions, keys }),
    async ensureIndexes() {
      for (const store of [nonces, links, sessionStore, keyStore]) await store.ensureIndexes();
    },
    async start() {
      await keys.start();
      sweep.start();
      watch.start();
    },
    async stop() {
      for (const part of [watch, sweep, keys]) await part.stop();
    },
  };
};
