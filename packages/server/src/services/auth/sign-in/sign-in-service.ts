import { createHash, timingSafeEqual } from 'node:crypto';
import type { AppleSignIn, Session } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import { minuteMs } from '../../../domain/durations.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { randomSecret } from '../../../platform/ids.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { Accounts, NewAccount, NotificationInbox } from '../ports.ts';
import type { AppleGrants } from '../apple/apple-grants.ts';
import type { AppleIdentity, VerifyIdentityToken } from '../apple/apple-identity-token.ts';
import type { AppleLinkStore } from '../apple/apple-link-store.ts';
import type { AuthMetrics } from '../auth-metrics.ts';
import type { DeviceChecks } from './device-check-service.ts';
import { displayNameOf } from './display-name.ts';
import type { NonceStore } from './nonce-store.ts';
import type { SessionService } from '../sessions/session-service.ts';
import type { KeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';

const nonceTtlMs = 10 * minuteMs;
const nonceBytes = 32;

export interface SignInService {
  createNonce(): Promise<{ nonce: string; expiresAt: string }>;
  /**
   * Throws `invalid-identity-token`, `invalid-nonce`, `apple-unavailable`, `consent-version`, and at a first sign-in what
   * `Accounts.checkNewAccount` throws; none of these stores anything or consumes the nonce.
   */
  signIn(input: AppleSignIn, log: Logger): Promise<Session & { isNewUser: boolean }>;
}

export const createSignInService = (deps: {
  verifyIdentityToken: VerifyIdentityToken;
  nonces: NonceStore;
  links: AppleLinkStore;
  grants: AppleGrants;
  devices: DeviceChecks;
  sessions: SessionService;
  accounts: Accounts;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>, onUnknownOutcome?: () => void) => Promise<T>;
  inbox: NotificationInbox;
  runExclusive: KeyedMutex;
  clock: Clock;
  metrics: Pick<AuthMetrics, 'signedIn'>;
}): SignInService => {
  const { nonces, links, grants, sessions, accounts, clock, metrics } = deps;

  /**
   * Redeems the authorization code, if there is one, for a refresh token. A code is valid once, so everything that
   * could reject the sign-in is checked before (SIWA-6).
   */
  const redeemCode = async (
    identity: AppleIdentity,
    code: string | undefined,
    { nonceHash, account, log }: { nonceHash: string; account: NewAccount; log: Logger },
  ): Promise<string | undefined> => {
    if (code === undefined) return undefined;
    if (!(await nonces.isUnused(nonceHash, clock.now()))) throw invalidNonce();
    const isNew = (await links.findUserId(identity.sub)) === undefined;
    if (isNew) accounts.checkNewAccount(account);
    else accounts.checkConsents(account);
    const redeemed = await grants.redeem(identity, code, log);
    if (redeemed === 'refused' && isNew)
      throw new DomainError('invalid-identity-token', {
        detail: 'Apple refuses the authorization code. Let the user sign in again.',
      });
    return typeof redeemed === 'object' ? redeemed.refreshToken : undefined;
  };

  /** Before the code is redeemed and outside a transaction, because it may take two seconds. */
  const checkDevice = async (
    identity: AppleIdentity,
    deviceToken: string | undefined,
    { nonceHash, log }: { nonceHash: string; log: Logger },
  ) => {
    const isNewAccount = (await links.findUserId(identity.sub)) === undefined;
    await deps.devices.check({ deviceToken, nonceHash, isNewAccount }, log);
  };

  const signIn = async (input: AppleSignIn, log: Logger) => {
    const identity = await deps.verifyIdentityToken(input.identityToken);
    const nonceHash = sha256Hex(input.nonce);
    // The app sends Apple only the hash, so an intercepted token is useless without the nonce (SIWA-4).
    if (identity.nonce === undefined || !isSameText(identity.nonce, nonceHash)) throw invalidNonce();

    const { ageBand, consents, timeZone } = input;
    const details = { name: displayNameOf(input.user?.name), email: identity.email, timeZone, consents };
    const device = {
      id: input.device?.id ?? null,
      name: input.device?.name ?? null,
      model: input.device?.model ?? null,
    };

    const account = { ...details, ageBand };
    const { clientId } = identity;

    const { session, evicted, isNewUser, committed } = await deps.runExclusive(identity.sub, async () => {
      const code = input.authorizationCode;
      await checkDevice(identity, input.deviceCheckToken, { nonceHash, log });
      const refreshToken = await redeemCode(identity, code, { nonceHash, account, log });
      const known = await links.findUserId(identity.sub);
      let existing = known;
      const work = async (tx: ClientSession) => {
        const now = clock.now();
        // First the document that other transactions write too, so that a conflict aborts early.
        let committed = known === undefined ? undefined : await accounts.recordSignIn(known, details, tx);
        if (!(await nonces.consume(nonceHash, now, tx))) throw invalidNonce();
        let userId = await links.findUserId(identity.sub, tx);
        const isNew = userId === undefined;
        if (userId === undefined) {
          accounts.checkNewAccount(account);
          ({ userId } = await accounts.openAccount(account, tx));
          await links.link(identity.sub, userId, now, tx);
        } else if (userId !== known) {
          existing = userId;
          committed = await accounts.recordSignIn(userId, details, tx);
        }
        if (refreshToken === undefined) await links.markRefreshTokenMissing(identity.sub, tx);
        else await links.saveRefreshToken(identity.sub, grants.seal(refreshToken, { userId, clientId }), tx);
        const opened = await sessions.open(userId, device, tx);
        if (opened.isNewDevice && !isNew)
          await deps.inbox.notify(tx, userId, { kind: 'signed-in', deviceName: device.name });
        return { ...opened, isNewUser: isNew, committed };
      };
      return deps.inTransaction(work, () => {
        if (existing !== undefined) accounts.refreshSettings(existing);
      });
    });
    sessions.publishEnded(evicted, 'logout');
    await committed?.();
    return { session, isNewUser };
  };

  return {
    async createNonce() {
      const nonce = randomSecret(nonceBytes);
      const expiresAt = clock.now() + nonceTtlMs;
      await nonces.save(sha256Hex(nonce), expiresAt);
      return { nonce, expiresAt: new Date(expiresAt).toISOString() };
    },

    async signIn(input, log) {
      try {
        const { session, isNewUser } = await signIn(input, log);
        const { userId, id: sessionId } = session;
        log.info({ event: 'auth.sign_in', userId, sessionId, isNewUser }, 'signed in');
        metrics.signedIn('ok');
        return { ...(await sessions.issueTokens(session)), isNewUser };
      } catch (error) {
        if (error instanceof DomainError) {
          metrics.signedIn(error.code);
          log.info(
            { event: 'auth.sign_in_refused', code: error.code, reason: error.message },
            'sign-in refused',
          );
        }
        throw error;
      }
    },
  };
};

const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

const isSameText = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
};

const invalidNonce = () =>
  new DomainError('invalid-nonce', {
    detail:
      'Create a nonce, send Apple its SHA-256 in lower-case hex, and use the nonce once, within 10 minutes.',
  });
