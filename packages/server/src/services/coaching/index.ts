/**
 * coaching: owns milestones and cheers. It decides which milestones a user has by the streaks that analytics derives, and
 * who may cheer them. It never records puffs and sends nothing itself: notifications go through the inbox.
 */
import type { ClientSession } from 'mongodb';
import type { Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import { inTransaction } from '../../platform/mongo/transaction.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { StreakReader } from '../analytics/index.ts';
import { cheerRoutes } from './cheers/cheer-routes.ts';
import { createCheerService, type CheerService } from './cheers/cheer-service.ts';
import { createCheerStore } from './cheers/cheer-store.ts';
import { createMilestoneAwards } from './milestones/milestone-awards.ts';
import { milestoneJobs } from './milestones/milestone-jobs.ts';
import { milestoneRoutes } from './milestones/milestone-routes.ts';
import { createMilestoneService } from './milestones/milestone-service.ts';
import { createMilestoneStore } from './milestones/milestone-store.ts';
import type { Inbox, MilestoneSharing, PuffLogHeads, UserDirectory } from './ports.ts';

export interface Coaching {
  routes: Route[];
  jobs: Job[];
  /** Puffs were recorded. `puff` is undefined for several at once, whose days are not known here. */
  puffsRecorded(recorded: {
    person: { userId: string };
    stats: { today: string };
    puff: { day: string } | undefined;
  }): void;
  /** Puffs were edited, deleted or restored. */
  puffsChanged(changed: { person: { userId: string } }): void;
  /** Part of the transaction that ends a friendship, by removal or block. */
  endCheers: CheerService['endBetween'];
  /** Resolves when no award for this user is in progress in this process. */
  drainUser(userId: string): Promise<void>;
  ensureIndexes(): Promise<void>;
  /** Deletes everything of a user; answers the number of rows. */
  eraseUser(userId: string): Promise<number>;
  /** Resolves when no scheduled refresh of milestones is left. */
  drain(): Promise<void>;
}

export const createCoaching = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  users: UserDirectory;
  sharing: MilestoneSharing;
  puffs: PuffLogHeads;
  streaks: StreakReader;
  inbox: Inbox;
}): Coaching => {
  const { connection } = deps;
  const milestones = createMilestoneStore(connection);
  const cheers = createCheerStore(connection);
  const transact = <T>(work: (tx: ClientSession) => Promise<T>) => inTransaction(connection, work);
  const awards = createMilestoneAwards({ ...deps, store: milestones, cheers, inTransaction: transact });
  const milestoneService = createMilestoneService({ ...deps, store: milestones, cheers, awards });
  const cheerService = createCheerService({ ...deps, store: cheers, milestones, inTransaction: transact });
  return {
    routes: [...milestoneRoutes(milestoneService), ...cheerRoutes(cheerService)],
    jobs: milestoneJobs({ users: deps.users, awards, store: milestones }),
    puffsRecorded({ person, stats, puff }) {
      // A puff of today cannot revoke a milestone: only ended days count.
      if (!puff || puff.day < stats.today) awards.refreshSoon(person.userId);
    },
    puffsChanged({ person }) {
      awards.refreshSoon(person.userId);
    },
    endCheers: cheerService.endBetween,
    drainUser: awards.drainUser,
    async ensureIndexes() {
      for (const owned of [milestones, cheers]) await owned.ensureIndexes();
    },
    async eraseUser(userId) {
      return (await milestones.removeAll(userId)) + (await cheers.removeAll(userId));
    },
    drain: awards.drain,
  };
};
