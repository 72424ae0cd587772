import type { ClientSession } from 'mongodb';
import type { Clock } from '../../platform/clock.ts';
import { DomainError } from '../../platform/edge/errors.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { AppleGrant, AppleGrants } from './apple/apple-grants.ts';
import type { AppleLinkStore } from './apple/apple-link-store.ts';
import type { SessionService } from './sessions/session-service.ts';
import type { SessionStore } from './sessions/session-store.ts';
import type { StoredSession } from './sessions/session.ts';

export type { AppleGrant } from './apple/apple-grants.ts';

export interface ClosedAccount {
  /** Apple's name for the person; undefined where the account was closed before. */
  readonly appleSub: string | undefined;
  /** No token of Apple was there to revoke: the person has to do it, in the settings of their phone. */
  readonly manualRevocationRequired: boolean;
  /** To be given to `announce` after the commit. */
  readonly ended: readonly StoredSession[];
}

/** The end of all ways into an account; the other services' part of an erasure is not auth's. */
export interface AccountClosing {
  /**
   * Spends the authorization code that came with a deletion. Undefined where it brings nothing: a deletion fails
   * neither by a bad code nor by an Apple that is away.
   */
  redeemCode(userId: string, code: string, log: Logger): Promise<AppleGrant | undefined>;
  /**
   * Inside `tx`: ends every session, unlinks the identity of Apple, and promises the revocation of the grant, by the
   * fresh token where there is one. The same identity opens a new account from then on.
   */
  close(
    userId: string,
    fresh: AppleGrant | undefined,
    context: { tx: ClientSession; log: Logger },
  ): Promise<ClosedAccount>;
  /** Closes the open sockets of what has ended. */
  announce(closed: ClosedAccount): void;
  /** Whatever else names the person here; `close` leaves nothing, so it answers 0. */
  eraseUser(userId: string): Promise<number>;
}

export const createAccountClosing = (deps: {
  links: AppleLinkStore;
  grants: AppleGrants;
  sessions: Pick<SessionStore, 'listLive' | 'forgetPerson'>;
  announceEnded: SessionService['announceEnded'];
  /** The apps that a code may be of. */
  clientIds: readonly string[];
  clock: Clock;
}): AccountClosing => {
  const { links, grants, sessions, clock } = deps;

  return {
    async redeemCode(userId, code, log) {
      const link = await links.findByUserId(userId);
      if (!link) return undefined;
      const held = link.refreshToken?.clientId;
      const candidates = new Set([...(held === undefined ? [] : [held]), ...deps.clientIds]);
      try {
        for (const clientId of candidates) {
          const redeemed = await grants.redeem({ sub: link.sub, clientId }, code, log);
          if (redeemed === 'unavailable') return undefined;
          if (redeemed !== 'refused') return { ...redeemed, clientId };
        }
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== 'invalid-identity-token') throw error;
      }
      log.info({ event: 'auth.deletion_code_refused', userId }, 'the code of a deletion brings nothing');
      return undefined;
    },

    async close(userId, fresh, { tx, log }) {
      const now = clock.now();
      const link = await links.findByUserId(userId, tx);
      const grant = fresh ?? (link && grants.unseal(link, log));
      if (grant) await grants.revokeLater(grant, tx);
      await links.remove(userId, tx);
      const ended = await sessions.listLive(userId, now, tx);
      await sessions.forgetPerson(userId, now, tx);
      return { appleSub: link?.sub, manualRevocationRequired: grant === undefined, ended };
    },

    announce({ ended }) {
      deps.announceEnded(ended, 'account-gone');
    },

    async eraseUser(userId) {
      return (await links.remove(userId)) + (await sessions.forgetPerson(userId, clock.now()));
    },
  };
};
