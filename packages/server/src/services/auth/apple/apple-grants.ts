import { createHash } from 'node:crypto';
import type { ClientSession } from 'mongodb';
import { LRUCache } from 'lru-cache';
import { UnavailableError } from '../../../platform/concurrency/circuit-breaker.ts';
import { minuteMs } from '../../../domain/durations.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { newId } from '../../../platform/ids.ts';
import type { OutboxJob, OutboxStore } from '../../../platform/outbox/outbox.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { AppleIdentity, VerifyIdentityToken } from './apple-identity-token.ts';
import type { AppleLink, StoredRefreshToken } from './apple-link-store.ts';
import type { AppleTokenApi } from './apple-token-api.ts';
import { masterKeyId, seal, sealContexts, unseal, type MasterKeys } from '../keys/sealed.ts';

/** An Apple refresh token to be revoked, sealed for this job; it does not identify the account. */
export type Revocation = StoredRefreshToken;

/** An Apple refresh token and its app. */
export interface AppleGrant {
  readonly refreshToken: string;
  readonly clientId: string;
}

/** Grants of Apple. Their refresh token is stored only to be revoked (SIWA-9). */
export interface AppleGrants {
  /**
   * Redeems the authorization code of a sign-in. `refused`: Apple rejects it; `unavailable`: Apple does not answer.
   * Throws `invalid-identity-token` if the code belongs to another person.
   */
  redeem(
    identity: Pick<AppleIdentity, 'sub' | 'clientId'>,
    code: string,
    log: Logger,
  ): Promise<{ refreshToken: string } | 'refused' | 'unavailable'>;
  seal(refreshToken: string, of: { userId: string; clientId: string }): StoredRefreshToken;
  /** Unseals the token of a link; undefined if there is none or it cannot be unsealed. */
  unseal(link: Pick<AppleLink, 'userId' | 'refreshToken'>, log: Logger): AppleGrant | undefined;
  /** Schedules a revocation inside `tx`: a deletion does not wait for Apple. */
  scheduleRevocation(grant: AppleGrant, tx: ClientSession): Promise<void>;
  /** Revokes the grant at Apple. Throws UnavailableError, so that the worker retries. */
  revoke(job: OutboxJob<Revocation>): Promise<void>;
}

const codeTtlMs = 10 * minuteMs;
const maxRedeemed = 10_000;

export const createAppleGrants = (deps: {
  /** Undefined if the team's key is not configured: no codes are redeemed, nothing is revoked. */
  api: AppleTokenApi | undefined;
  verifyIdentityToken: VerifyIdentityToken;
  outbox: OutboxStore<Revocation>;
  masterKeys: MasterKeys;
  clock: Clock;
}): AppleGrants => {
  const { api, outbox, masterKeys, clock } = deps;
  /** A sign-in that failed after its code was redeemed is retried with the same code, which Apple accepts once. */
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
      if (before && clock.now() - before.at < codeTtlMs) return { refreshToken: before.refreshToken };
      try {
        const tokens = await api.exchange(code, identity.clientId);
        if (!tokens) return 'refused';
        const owner = await deps.verifyIdentityToken(tokens.idToken);
        if (owner.sub !== identity.sub || owner.clientId !== identity.clientId)
          throw new DomainError('invalid-identity-token', {
            detail: 'The authorization code belongs to another person or app than the identity token.',
          });
        redeemed.set(key, { refreshToken: tokens.refreshToken, at: clock.now() });
        return { refreshToken: tokens.refreshToken };
      } catch (error) {
        const isOutage =
          error instanceof UnavailableError ||
          (error instanceof DomainError && error.code === 'apple-unavailable');
        if (!isOutage) throw error;
        log.warn(
          { event: 'auth.apple_code_not_redeemed', err: error },
          'Apple is unavailable; signed in without an Apple refresh token',
        );
        return 'unavailable';
      }
    },

    seal: (refreshToken, { userId, clientId }) =>
      sealFor(sealContexts.appleRefreshToken({ userId, clientId }), { refreshToken, clientId }),

    unseal({ userId, refreshToken }, log) {
      if (!refreshToken) return undefined;
      const { clientId, sealed } = refreshToken;
      try {
        const opened = unseal(masterKeys, sealed, sealContexts.appleRefreshToken({ userId, clientId }));
        return { refreshToken: opened.toString('utf8'), clientId };
      } catch (error) {
        log.error(
          { event: 'auth.apple_token_lost', userId, err: error },
          'Apple refresh token cannot be unsealed',
        );
        return undefined;
      }
    },

    async scheduleRevocation(grant, tx) {
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
