import type { Connection } from 'mongoose';
import type { Clock } from '../platform/clock.ts';
import type { JobStore } from '../platform/scheduler/job-store.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { migrate, type Migration } from '../platform/mongo/migrations.ts';
import { compactGoalHistories } from '../services/analytics/index.ts';
import { dateLateEntries, dropHiddenMonths, orderPuffIndex } from '../services/puffs/index.ts';
import { orderFriendIndexes } from '../services/users/index.ts';
import type { Services } from './services.ts';

/**
 * Every step that the data has taken, oldest first; new ones go to the end. The owner of the collection writes the step
 * (`services/<service>/<what>-migration.ts`), this list gives it a number. How a change is split over two releases:
 * CONTRIBUTING.md, Migrations.
 */
const migrations: readonly Migration[] = [
  { id: '0001-order-friend-indexes', run: ({ connection }) => orderFriendIndexes(connection) },
  { id: '0002-order-puff-index', run: ({ connection }) => orderPuffIndex(connection) },
  { id: '0003-date-late-entries', run: ({ connection }) => dateLateEntries(connection) },
  { id: '0004-drop-hidden-months', run: ({ connection, signal }) => dropHiddenMonths(connection, signal) },
  {
    id: '0005-compact-goal-histories',
    run: ({ connection, signal }) => compactGoalHistories(connection, signal),
  },
];

/** Creates the collections and indexes of every service. */
export const ensureServiceIndexes = async (services: Services): Promise<void> => {
  for (const service of Object.values(services) as Services[keyof Services][]) await service.ensureIndexes();
};

/** What every start and `npm run migrate` do: the steps that are missing here, then collections and indexes. */
export const migrateDatabase = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  services: Services;
  jobStore: JobStore;
}): Promise<string[]> => {
  const { connection, clock, log, services, jobStore } = deps;
  return migrate({
    connection,
    clock,
    log,
    migrations,
    indexes: async () => {
      await ensureServiceIndexes(services);
      await jobStore.ensureIndexes();
    },
  });
};
