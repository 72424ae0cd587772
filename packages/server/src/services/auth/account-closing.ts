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
  /** Apple's subject of the account; undefined if the account was closed before. */
  readonly appleSub: string | undefined;
  /** There was no Apple token to revoke: the user has to revoke it in the phone's settings. */
  readonly manualRevocationRequired: boolean;
  /** For `announce`, after the commit. */
  readonly ended: readonly StoredSession[];
}

/** Ends every way to sign in to an account. The other services erase their own data. */
export interface AccountClosing {
  /**
   * Redeems the authorization code of a deletion. Undefined for a bad code or while Apple is unavailable: neither
   * fails the deletion.
   */
  redeemCode(userId: string, code: string, log: Logger): Promise<AppleGrant | undefined>;
  /**
   * Inside `tx`: ends every session, unlinks the Apple identity, and schedules the revocation of the grant, of `fresh`
   * if there is one. From then on the same identity opens a new account.
   */
  close(
    userId: string,
    fresh: AppleGrant | undefined,
    context: { tx: ClientSession; log: Logger },
  ): Promise<ClosedAccount>;
  /** Closes the open sockets of the ended sessions. */
  announce(closed: ClosedAccount): void;
  /** Deletes any remaining data of the account and counts it; 0 after `close`. */
  eraseUser(userId: string): Promise<number>;
}

export const createAccountClosing = (deps: {
  links: AppleLinkStore;
  grants: AppleGrants;
  sessions: Pick<SessionStore, 'listLive' | 'anonymizeAll'>;
  publishEnded: SessionService['publishEnded'];
  /** The apps that may have issued a code. */
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
      log.info(
        { event: 'auth.deletion_code_refused', userId },
        'Apple rejected the authorization code of an account deletion',
      );
      return undefined;
    },

    async close(userId, fresh, { tx, log }) {
      const now = clock.now();
      const link = await links.findByUserId(userId, tx);
      const grant = fresh ?? (link && grants.unseal(link, log));
      if (grant) await grants.scheduleRevocation(grant, tx);
      await links.remove(userId, tx);
      const ended = await sessions.listLive(userId, now, tx);
      await sessions.anonymizeAll(userId, now, tx);
      return { appleSub: link?.sub, manualRevocationRequired: grant === undefined, ended };
    },

    announce({ ended }) {
      deps.publishEnded(ended, 'account-gone');
    },

    async eraseUser(userId) {
      return (await links.remove(userId)) + (await sessions.anonymizeAll(userId, clock.now()));
    },
  };
};
