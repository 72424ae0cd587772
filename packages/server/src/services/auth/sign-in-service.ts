import { createHash, timingSafeEqual } from 'node:crypto';
import type { AppleSignIn, Session } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../platform/clock.ts';
import { DomainError } from '../../platform/errors.ts';
import { randomSecret } from '../../platform/ids.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Accounts } from './accounts.ts';
import type { VerifyIdentityToken } from './apple-identity-token.ts';
import type { AppleLinkStore } from './apple-link-store.ts';
import { displayNameOf } from './display-name.ts';
import type { NonceStore } from './nonce-store.ts';
import type { SessionService } from './session-service.ts';
import type { Turns } from './turns.ts';

const nonceTtlMs = 10 * 60_000;
const nonceBytes = 32;

export interface SignInService {
  createNonce(): Promise<{ nonce: string; expiresAt: string }>;
  /**
   * Throws `invalid-identity-token`, `invalid-nonce`, `apple-unavailable`, and at a first sign-in what
   * `Accounts.checkNewAccount` throws; each of these leaves nothing behind and spends no nonce.
   */
  signIn(input: AppleSignIn, log: Logger): Promise<Session & { isNewUser: boolean }>;
}

export const createSignInService = (deps: {
  verifyIdentityToken: VerifyIdentityToken;
  nonces: NonceStore;
  links: AppleLinkStore;
  sessions: SessionService;
  accounts: Accounts;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
  turns: Turns;
  clock: Clock;
}): SignInService => {
  const { nonces, links, sessions, accounts, clock } = deps;

  const signIn = async (input: AppleSignIn) => {
    const identity = await deps.verifyIdentityToken(input.identityToken);
    const nonceHash = sha256Hex(input.nonce);
    // The app hands Apple the hash and keeps the nonce: a token seen on its way is worth nothing here (SIWA-4).
    if (identity.nonce === undefined || !isSameText(identity.nonce, nonceHash)) throw invalidNonce();

    const { ageBand, consents, timeZone } = input;
    const details = { name: displayNameOf(input.user?.name), email: identity.email, timeZone };
    const device = {
      id: input.device?.id ?? null,
      name: input.device?.name ?? null,
      model: input.device?.model ?? null,
    };

    const { session, evicted, isNewUser } = await deps.turns(identity.sub, () =>
      deps.inTransaction(async (tx) => {
        const now = clock.now();
        if (!(await nonces.spend(nonceHash, now, tx))) throw invalidNonce();
        let userId = await links.findUserId(identity.sub, tx);
        const isNew = userId === undefined;
        if (userId === undefined) {
          const account = { ...details, ageBand, consents };
          accounts.checkNewAccount(account);
          ({ userId } = await accounts.openAccount(account, tx));
          await links.link(identity.sub, userId, now, tx);
        } else {
          await accounts.recordSignIn(userId, details, tx);
        }
        return { ...(await sessions.open(userId, device, tx)), isNewUser: isNew };
      }),
    );
    sessions.announceEnded(evicted, 'logout');
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
        const { session, isNewUser } = await signIn(input);
        const { userId, id: sessionId } = session;
        log.info({ event: 'auth.sign_in', userId, sessionId, isNewUser }, 'signed in');
        return { ...(await sessions.answer(session)), isNewUser };
      } catch (error) {
        if (error instanceof DomainError)
          log.info(
            { event: 'auth.sign_in_refused', code: error.code, reason: error.message },
            'not signed in',
          );
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
      'Get a nonce here, give Apple its SHA-256 in lower-case hex, and send the nonce once, within 10 minutes.',
  });
