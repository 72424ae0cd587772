import type { ClientSession } from 'mongodb';
import { UnavailableError } from '../../platform/circuit-breaker.ts';
import type { Clock } from '../../platform/clock.ts';
import { DomainError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { OutboxJob, OutboxStore } from '../../platform/jobs/outbox.ts';
import type { Logger } from '../../platform/logger.ts';
import type { AppleIdentity, VerifyIdentityToken } from './apple-identity-token.ts';
import type { AppleLinkStore, StoredRefreshToken } from './apple-link-store.ts';
import type { AppleTokenApi } from './apple-token-api.ts';
import { masterKeyId, seal, sealContexts, unseal, type MasterKeys } from './sealed.ts';

/** A refresh token of Apple that waits for its revocation, sealed as it was on the link. */
export type Revocation = StoredRefreshToken & { readonly userId: string };

/** What Apple lets us hold of a person: a refresh token that is good for nothing here but being revoked (SIWA-9). */
export interface AppleGrants {
  /**
   * Spends the authorization code of a sign-in. `refused`: Apple does not take it; `unavailable`: Apple cannot be
   * asked. Throws `invalid-identity-token` where the code is another person's.
   */
  redeem(
    identity: AppleIdentity,
    code: string,
    log: Logger,
  ): Promise<{ refreshToken: string } | 'refused' | 'unavailable'>;
  seal(refreshToken: string, of: { userId: string; clientId: string }): StoredRefreshToken;
  /**
   * Promises inside `tx` that the person's grant is revoked at Apple, and takes the token off the link. Deletion never
   * waits for Apple. Where no token is held the person has to do it, in the settings of their phone.
   */
  revokeLater(userId: string, tx: ClientSession): Promise<{ manualRevocationRequired: boolean }>;
  /** Keeps that promise. Throws UnavailableError, to be tried again. */
  revoke(job: OutboxJob<Revocation>): Promise<void>;
}

export const createAppleGrants = (deps: {
  /** Undefined where the team's key is not configured: no codes are spent, nothing is revoked. */
  api: AppleTokenApi | undefined;
  verifyIdentityToken: VerifyIdentityToken;
  links: AppleLinkStore;
  outbox: OutboxStore<Revocation>;
  masterKeys: MasterKeys;
  clock: Clock;
}): AppleGrants => {
  const { api, links, outbox, masterKeys, clock } = deps;

  return {
    async redeem(identity, code, log) {
      if (!api) return 'unavailable';
      try {
        const tokens = await api.exchange(code, identity.clientId);
        if (!tokens) return 'refused';
        const redeemed = await deps.verifyIdentityToken(tokens.idToken);
        if (redeemed.sub !== identity.sub || redeemed.clientId !== identity.clientId)
          throw new DomainError('invalid-identity-token', {
            detail: 'The authorization code is of another person or app than the identity token.',
          });
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

    seal: (refreshToken, of) => ({
      clientId: of.clientId,
      sealed: seal(masterKeys, Buffer.from(refreshToken), sealContexts.appleRefreshToken(of)),
      keyId: masterKeyId(masterKeys),
    }),

    async revokeLater(userId, tx) {
      const link = await links.findByUserId(userId, tx);
      if (!link?.refreshToken) return { manualRevocationRequired: true };
      await outbox.add({ id: newId(), payload: { userId, ...link.refreshToken }, now: clock.now() }, tx);
      await links.dropRefreshToken(userId, tx);
      return { manualRevocationRequired: false };
    },

    async revoke({ payload }) {
      if (!api) throw new UnavailableError('APPLE_PRIVATE_KEY is not configured');
      const token = unseal(masterKeys, payload.sealed, sealContexts.appleRefreshToken(payload)).toString(
        'utf8',
      );
      await api.revoke(token, payload.clientId);
    },
  };
};
