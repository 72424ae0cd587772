import { createHash } from 'node:crypto';
import type { ClientSession } from 'mongodb';
import { LRUCache } from 'lru-cache';
import { UnavailableError } from '../../../platform/concurrency/circuit-breaker.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { newId } from '../../../platform/ids.ts';
import type { OutboxJob, OutboxStore } from '../../../platform/outbox/outbox.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { AppleIdentity, VerifyIdentityToken } from './apple-identity-token.ts';
import type { AppleLink, StoredRefreshToken } from './apple-link-store.ts';
import type { AppleTokenApi } from './apple-token-api.ts';
import { masterKeyId, seal, sealContexts, unseal, type MasterKeys } from '../keys/sealed.ts';

/** A refresh token of Apple that waits for its revocation, sealed for this one job: it names nobody. */
export type Revocation = StoredRefreshToken;

/** A refresh token as Apple gave it, with the app that it is for. */
export interface AppleGrant {
  readonly refreshToken: string;
  readonly clientId: string;
}

/** What Apple lets us hold of a person: a refresh token that is good for nothing here but being revoked (SIWA-9). */
export interface AppleGrants {
  /**
   * Spends the authorization code of a sign-in. `refused`: Apple does not take it; `unavailable`: Apple cannot be
   * asked. Throws `invalid-identity-token` where the code is another person's.
   */
  redeem(
    identity: Pick<AppleIdentity, 'sub' | 'clientId'>,
    code: string,
    log: Logger,
  ): Promise<{ refreshToken: string } | 'refused' | 'unavailable'>;
  seal(refreshToken: string, of: { userId: string; clientId: string }): StoredRefreshToken;
  /** Opens the token that a person's link holds; undefined where it holds none, or none that opens. */
  unseal(link: Pick<AppleLink, 'userId' | 'refreshToken'>, log: Logger): AppleGrant | undefined;
  /** Promises inside `tx` that a grant is revoked at Apple: a deletion never waits for Apple. */
  revokeLater(grant: AppleGrant, tx: ClientSession): Promise<void>;
  /** Keeps that promise. Throws UnavailableError, to be tried again. */
  revoke(job: OutboxJob<Revocation>): Promise<void>;
}

const codeLivesMs = 10 * 60_000;
const maxRedeemed = 10_000;

export const createAppleGrants = (deps: {
  /** Undefined where the team's key is not configured: no codes are spent, nothing is revoked. */
  api: AppleTokenApi | undefined;
  verifyIdentityToken: VerifyIdentityToken;
  outbox: OutboxStore<Revocation>;
  masterKeys: MasterKeys;
  clock: Clock;
}): AppleGrants => {
  const { api, outbox, masterKeys, clock } = deps;
  /** A call that failed after its code was spent is sent again with the same code, which Apple takes only once. */
  const redeemed = new LRUCache<string, { refreshToken: string; at: number }>({ max: maxRedeemed });

  const sealFor = (context: string, { refreshToken, clientId }: AppleGrant): StoredRefreshToken => ({
    clientId,
    sealed: seal(masterKeys, Buffer.from(refreshToken), context),
    keyId: masterKeyId(masterKeys),
  });

  return {
    async redeem(identity, code, log) {
      if (!api) return 'unavailable';
      const key = createHash('sha256')
        .update(JSON.stringify([identity.sub, identity.clientId, code]))
        .digest('hex');
      const before = redeemed.get(key);
      if (before && clock.now() - before.at < codeLivesMs) return { refreshToken: before.refreshToken };
      try {
        const tokens = await api.exchange(code, identity.clientId);
        if (!tokens) return 'refused';
        const owner = await deps.verifyIdentityToken(tokens.idToken);
        if (owner.sub !== identity.sub || owner.clientId !== identity.clientId)
          throw new DomainError('invalid-identity-token', {
            detail: 'The authorization code is of another person or app than the identity token.',
          });
        redeemed.set(key, { refreshToken: tokens.refreshToken, at: clock.now() });
        return { refreshToken: tokens.refreshToken };
      } catch (error) {
        const isOutage =
          error instanceof UnavailableError ||
          (error instanceof DomainError && error.code === 'apple-unavailable');
        if (!isOutage) throw error;
        log.warn(
          { event: 'auth.apple_code_not_spent', err: error },
          'signed in without a refresh token of Apple',
        );
        return 'unavailable';
      }
    },

    seal: (refreshToken, { userId, clientId }) =>
      sealFor(sealContexts.appleRefreshToken({ userId, clientId }), { refreshToken, clientId }),

    unseal({ userId, refreshToken: held }, log) {
      if (!held) return undefined;
      const { clientId, sealed } = held;
      try {
        const opened = unseal(masterKeys, sealed, sealContexts.appleRefreshToken({ userId, clientId }));
        return { refreshToken: opened.toString('utf8'), clientId };
      } catch (error) {
        log.error({ event: 'auth.apple_token_lost', userId, err: error }, 'a token of Apple does not open');
        return undefined;
      }
    },

    async revokeLater(grant, tx) {
      const id = newId();
      await outbox.add(
        { id, payload: sealFor(sealContexts.appleRevocation(id), grant), now: clock.now() },
        tx,
      );
    },

    async revoke({ id, payload: { sealed, clientId } }) {
      if (!api) throw new UnavailableError('APPLE_PRIVATE_KEY is not configured');
      const token = unseal(masterKeys, sealed, sealContexts.appleRevocation(id)).toString('utf8');
      await api.revoke(token, clientId);
    },
  };
};
