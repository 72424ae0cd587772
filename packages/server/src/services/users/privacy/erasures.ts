import type { ClientSession, Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { newId } from '../../../platform/ids.ts';
import type { OutboxJob, OutboxStore } from '../../../platform/outbox/outbox.ts';
import type { Reschedule } from '../../../platform/outbox/outbox-worker.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { AccountClosing } from '../../auth/index.ts';
import {
  ledgerEntryOf,
  nextSweepAt,
  overdueAfterMs,
  requirePersonId,
  type Erasure,
  type PersonalData,
} from './erasure.ts';
import type { ErasureLedgerStore } from './erasure-ledger-store.ts';
import type { FriendConnectionStore } from '../friends/friend-connection-store.ts';
import type { FriendService } from '../friends/friend-service.ts';
import { sidesFor } from '../friends/friendship.ts';
import type { UserStore } from '../accounts/user-store.ts';

export interface Deletion {
  readonly manualRevocationRequired: boolean;
}

export interface Erasures {
  /**
   * Ends an account, and promises that everything of the person goes. Undefined where there is no such account (any
   * more). Whatever Apple does, it only decides about `manualRevocationRequired`.
   */
  begin(
    userId: string,
    request: { authorizationCode?: string | undefined; log: Logger },
  ): Promise<Deletion | undefined>;
  /** Keeps that promise, sweep by sweep; each may be cut off anywhere and is begun again. */
  sweep(job: OutboxJob<Erasure>, reschedule: Reschedule): Promise<void>;
  /** Drops what this process holds of everybody who is being erased, whichever process ended the account. */
  forgetErased(): Promise<void>;
}

/** Far more than are erased at one time. */
const maxOpen = 10_000;

/**
 * The account and the identity that opens it go in one transaction, with which the promise to erase the rest is
 * written: there is no half-deleted person whom every question would have to leave out (docs/adr/0013-erasure.md).
 */
export const createErasures = (deps: {
  connection: Connection;
  users: UserStore;
  connections: FriendConnectionStore;
  friends: FriendService;
  outbox: OutboxStore<Erasure>;
  ledger: ErasureLedgerStore;
  closing: () => AccountClosing;
  /** All that is kept of people, here and at the other services. */
  owners: () => readonly PersonalData[];
  /** Resolves when nothing of this person that was admitted before is under way in this process. */
  drainWrites: (userId: string) => Promise<void>;
  /** A promise was written: it may be kept now. */
  onBegun: () => void;
  masterKey: Buffer;
  clock: Clock;
  log: Logger;
}): Erasures => {
  const { connection, users, connections, friends, outbox, ledger, clock } = deps;
  /** Calls of one person at once are one deletion: an authorization code is spent only once. */
  const running = new Map<string, Promise<Deletion | undefined>>();

  const forget = (userId: string) => {
    for (const owner of deps.owners()) owner.forgetUser?.(userId);
  };

  const begin: Erasures['begin'] = async (userId, { authorizationCode, log }) => {
    const closing = deps.closing();
    const fresh =
      authorizationCode === undefined ? undefined : await closing.redeemCode(userId, authorizationCode, log);
    const erase = async (tx: ClientSession) => {
      const now = clock.now();
      // First what others write too: a conflict over it shows at once, and not after everything else was done.
      const isThere = await users.remove(userId, tx);
      // Whoever was first: a fresh token that came too late for the account is revoked all the same.
      const ended = await closing.close(userId, fresh, { tx, log });
      if (!isThere) return { closed: ended };
      const friendships = await connections.list(userId, tx);
      await outbox.add({ id: newId(), payload: { userId }, now }, tx);
      await ledger.add(ledgerEntryOf(deps.masterKey, { userId, appleSub: ended.appleSub }), now, tx);
      return {
        closed: ended,
        friendIds: friendships.map((friendship) => sidesFor(friendship, userId).theirs.person),
      };
    };
    const { closed, friendIds } = await inTransaction(connection, erase, () => {
      // What was evicted and is still there is read again; the worker finds the promise if it was written.
      forget(userId);
      deps.onBegun();
    });
    forget(userId);
    closing.announce(closed);
    if (!friendIds) return undefined;
    // Committed: whatever fails from here on does not take back that the account is gone.
    deps.onBegun();
    const { manualRevocationRequired } = closed;
    log.info({ event: 'users.account_deleted', userId, manualRevocationRequired }, 'an account was deleted');
    await friends.announceEndedFriendships(userId, friendIds);
    await deps.drainWrites(userId);
    return { manualRevocationRequired };
  };

  return {
    begin(userId, request) {
      const known = running.get(userId);
      if (known) return known;
      const begun = begin(userId, request).finally(() => running.delete(userId));
      running.set(userId, begun);
      return begun;
    },

    async sweep({ payload, createdAt }, reschedule) {
      const userId = requirePersonId(payload.userId);
      const sweptAt = clock.now();
      if (sweptAt - createdAt > overdueAfterMs)
        deps.log.error({ event: 'users.erasure_overdue', userId, createdAt }, 'an erasure takes too long');
      forget(userId);
      let found = 0;
      for (const owner of deps.owners()) found += await owner.eraseUser(userId);
      const next = nextSweepAt({ createdAt, sweptAt, found });
      if (next !== undefined) reschedule(next);
      else deps.log.info({ event: 'users.erased', userId }, 'a person was erased');
    },

    async forgetErased() {
      for (const { userId } of await outbox.listOpen(maxOpen)) forget(userId);
    },
  };
};
