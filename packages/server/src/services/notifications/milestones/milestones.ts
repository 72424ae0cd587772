import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { createCheerService, type CheerService, type CheerServiceDeps } from '../cheers/cheer-service.ts';
import { createCheerStore } from '../cheers/cheer-store.ts';
import type { InboxStore } from '../inbox/inbox-store.ts';
import type { Notify } from '../inbox/inbox-service.ts';
import { createMilestoneAwards, type MilestoneAwards, type MilestoneAwardsDeps } from './milestone-awards.ts';
import { createMilestoneService, type MilestoneServiceDeps } from './milestone-service.ts';
import { createMilestoneStore, type MilestoneStore } from './milestone-store.ts';

/** Milestones with everything that belongs to them. */
export interface Milestones
  extends MilestoneAwards, Pick<CheerService, 'endBetween'>, Pick<MilestoneStore, 'removeRevokedBefore'> {
  readonly service: ReturnType<typeof createMilestoneService>;
  readonly cheers: CheerService;
  ensureIndexes(): Promise<void>;
  /** Everything of this person; answers how many rows there were. */
  removeAll(userId: string): Promise<number>;
}

/** What the other services answer about people. */
export type MilestonesDeps = Pick<MilestoneAwardsDeps, 'judge' | 'newestRevs'> &
  Pick<CheerServiceDeps, 'person' | 'requireConsents' | 'showsMilestones'> &
  Pick<MilestoneServiceDeps, 'milestoneFriendsOf'>;

export const createMilestones = (
  deps: MilestonesDeps &
    Pick<MilestoneAwardsDeps, 'people'> & {
      connection: Connection;
      inbox: InboxStore;
      notify: Notify;
      clock: Clock;
      log: Logger;
    },
): Milestones => {
  const { connection } = deps;
  const store = createMilestoneStore(connection);
  const cheerStore = createCheerStore(connection);
  const transact = <T>(work: (tx: ClientSession) => Promise<T>) => inTransaction(connection, work);
  const awards = createMilestoneAwards({ ...deps, store, cheers: cheerStore, inTransaction: transact });
  const cheers = createCheerService({
    ...deps,
    store: cheerStore,
    milestones: store,
    inTransaction: transact,
  });
  return {
    ...awards,
    cheers,
    endBetween: cheers.endBetween,
    service: createMilestoneService({ ...deps, store, cheers: cheerStore, awards }),
    removeRevokedBefore: store.removeRevokedBefore,
    async ensureIndexes() {
      for (const owned of [store, cheerStore]) await owned.ensureIndexes();
    },
    async removeAll(userId) {
      return (await store.removeAll(userId)) + (await cheerStore.removeAll(userId));
    },
  };
};
