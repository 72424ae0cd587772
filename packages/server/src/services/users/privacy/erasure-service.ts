import type { ClientSession, Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { newId } from '../../../platform/ids.ts';
import type { OutboxJob, OutboxStore } from '../../../platform/outbox/outbox.ts';
import type { Reschedule } from '../../../platform/outbox/outbox-worker.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { AccountClosing, PendingWrites, PersonalData } from '../ports.ts';
import {
  ledgerEntryOf,
  nextCleanupAt,
  overdueAfterMs,
  requirePersonId,
  type Erasure,
} from './erasure-rules.ts';
import type { ErasureLedgerStore } from './erasure-ledger-store.ts';
import type { FriendConnectionStore } from '../sharing/friend-connection-store.ts';
import type { FriendService } from '../friends/friend-service.ts';
import { sidesFor } from '../sharing/friendship.ts';
import type { UserStore } from '../accounts/user-store.ts';

export interface Deletion {
  readonly manualRevocationRequired: boolean;
}

export interface ErasureService {
  /**
   * Deletes an account and writes the outbox job that erases the rest. Undefined for an unknown account. Failures of Apple
   * only decide about `manualRevocationRequired`.
   */
  begin(
    userId: string,
    request: { authorizationCode?: string | undefined; log: Logger },
  ): Promise<Deletion | undefined>;
  /** One cleanup pass of that job; it may be interrupted anywhere and starts again. */
  runCleanupPass(job: OutboxJob<Erasure>, reschedule: Reschedule): Promise<void>;
  /** Evicts cached data of every user with an open erasure, whichever process deleted the account. */
  evictErased(): Promise<void>;
}

/** Far more than are open at one time. */
const maxOpen = 10_000;

/**
 * One transaction deletes the account and its link to Apple and writes the erasure job, so no query has to exclude
 * half-deleted users (docs/adr/0013-erasure.md).
 */
export const createErasureService = (deps: {
  connection: Connection;
  users: UserStore;
  connections: FriendConnectionStore;
  friends: FriendService;
  outbox: OutboxStore<Erasure>;
  ledger: ErasureLedgerStore;
  accountClosing: AccountClosing;
  /** The owners of data about users, here and in the other services. */
  owners: () => readonly PersonalData[];
  pendingWrites: PendingWrites;
  /** An erasure job was written and is due. */
  onBegun: () => void;
  masterKey: Buffer;
  clock: Clock;
  log: Logger;
}): ErasureService => {
  const { connection, users, connections, friends, outbox, ledger, clock } = deps;
  /** Concurrent calls for one user share one deletion, because an authorization code can be redeemed once. */
  const running = new Map<string, Promise<Deletion | undefined>>();

  const evict = (userId: string) => {
    for (const owner of deps.owners()) owner.forgetUser?.(userId);
  };

  const begin: ErasureService['begin'] = async (userId, { authorizationCode, log }) => {
    const { accountClosing } = deps;
    const fresh =
      authorizationCode === undefined
        ? undefined
        : await accountClosing.redeemCode(userId, authorizationCode, log);
    const erase = async (tx: ClientSession) => {
      const now = clock.now();
      // First the row that other transactions write too, so that a conflict shows before the other work.
      const isThere = await users.remove(userId, tx);
      // A grant from a code that was redeemed too late is revoked as well.
      const ended = await accountClosing.close(userId, fresh, { tx, log });
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
      // The outcome is unknown: an existing account is read again, and the worker finds the job if it was written.
      evict(userId);
      deps.onBegun();
    });
    evict(userId);
    accountClosing.announce(closed);
    if (!friendIds) return undefined;
    // Committed: a failure from here on does not undo the deletion.
    deps.onBegun();
    const { manualRevocationRequired } = closed;
    log.info({ event: 'users.account_deleted', userId, manualRevocationRequired }, 'account deleted');
    await friends.announceEndedFriendships(userId, friendIds);
    await deps.pendingWrites.drainUser(userId);
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

    async runCleanupPass({ payload, createdAt }, reschedule) {
      const userId = requirePersonId(payload.userId);
      const passStartedAt = clock.now();
      if (passStartedAt - createdAt > overdueAfterMs)
        deps.log.error({ event: 'users.erasure_overdue', userId, createdAt }, 'erasure is overdue');
      evict(userId);
      let found = 0;
      for (const owner of deps.owners()) found += await owner.eraseUser(userId);
      const next = nextCleanupAt({ createdAt, passStartedAt, found });
      if (next !== undefined) reschedule(next);
      else deps.log.info({ event: 'users.erased', userId }, 'erasure completed');
    },

    async evictErased() {
      for (const { userId } of await outbox.listOpen(maxOpen)) evict(userId);
    },
  };
};
