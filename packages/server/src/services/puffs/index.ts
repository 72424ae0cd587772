/**
 * puffs: owns `PuffRecord`, the per-person log, and its checkpoints; the only code that writes them or reads them.
 * It says what was counted (`history`), never what a count means for a streak or a limit.
 */
import type { Puff } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import type { SocketEvent } from '../../platform/realtime/socket-event.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import { createAdmission } from './commit/admission.ts';
import type { FindDeletedUsers } from './state/checkpoint-flusher.ts';
import { createCheckpointStore } from './state/checkpoint-store.ts';
import { createEraseStore } from './log/erase-store.ts';
import { puffEvents } from './puff-events.ts';
import { createBulkLogStore } from './log/bulk-log-store.ts';
import { createPuffLog, type PuffLog } from './commit/puff-log.ts';
import { puffRoutes } from './puff-routes.ts';
import { createPuffEditService } from './puff-edit-service.ts';
import { createPuffMetrics } from './log/puff-metrics.ts';
import type { PuffPerson } from './domain/puff-person.ts';
import { createPuffReadService } from './puff-read-service.ts';
import { createPuffService } from './puff-service.ts';
import { puffJobs } from './maintenance/puff-jobs.ts';
import { createPuffStateCache } from './state/puff-state-cache.ts';
import { createReconcile } from './maintenance/reconcile.ts';
import { createRecordSumsStore, type PersonHour } from './maintenance/record-sums-store.ts';
import { backdatedAfterMs } from './domain/puff.ts';
import { createPurge } from './maintenance/purge.ts';
import { createPurgeStore } from './maintenance/purge-store.ts';
import { createRecountStore } from './state/recount-store.ts';
import { createPuffStore } from './log/puff-store.ts';

export * from '../../domain/local-day.ts';
export { orderPuffIndex } from './maintenance/puff-index-migration.ts';
export { dateLateEntries } from './maintenance/late-entries-migration.ts';
export { dropHiddenMonths } from './maintenance/hidden-months-migration.ts';
export type { DateSpan, DayMarks, Moment, PuffHistory } from './domain/puff-history.ts';
export type { PuffLog } from './commit/puff-log.ts';
export type { PuffPerson, PuffsChanged, PuffsRecorded } from './domain/puff-person.ts';
export type { PersonHour } from './maintenance/record-sums-store.ts';

/** What is received later than this after it happened counts for its person, and no more for the platform. */
export const lateAfterMs = backdatedAfterMs;

export interface Puffs extends Pick<
  PuffLog,
  'history' | 'newestRevs' | 'histories' | 'momentsBetween' | 'drainAll' | 'stop'
> {
  routes: Route[];
  events: SocketEvent[];
  jobs: Job[];
  /** What these people took in [from, to) (ms), by hour of UTC and product; nothing that came `lateAfterMs` late. */
  countByHour(people: readonly string[], range: { from: number; to: number }): Promise<PersonHour[]>;
  /** A live puff as it is now; undefined where it is not there, or not any more. */
  findLive(userId: string, id: string): Promise<Puff | undefined>;
  /** Resolves when every write of this person that was admitted before is stored or refused, in this process. */
  drain(userId: string): Promise<void>;
  /** Drops what this process holds of a person whose account is gone, what waits to be written included. */
  forgetUser(userId: string): void;
  /** Deletes the log and the checkpoints of this very person; answers how many rows there were. Safe to repeat. */
  eraseUser(userId: string): Promise<number>;
  ensureIndexes(): Promise<void>;
}

export const createPuffs = <Person extends PuffPerson>(
  deps: {
    connection: Connection;
    logger: Logger;
    absentAmong: FindDeletedUsers;
    figures: Metrics;
    knownPerson: (userId: string) => Person | undefined;
  } & Omit<
    Parameters<typeof createPuffService<Person>>[0] & Parameters<typeof createPuffEditService<Person>>[0],
    'log' | 'store' | 'metrics'
  >,
): Puffs => {
  const { connection, clock, logger, absentAmong } = deps;
  const metrics = createPuffMetrics(deps.figures);
  const store = createPuffStore(connection);
  const checkpoints = createCheckpointStore(connection);
  const recounts = createRecountStore(connection);
  const tallies = createRecordSumsStore(connection);
  const log = createPuffLog({
    store,
    recounts,
    checkpoints,
    many: createBulkLogStore(connection),
    absentAmong,
    admission: createAdmission(deps),
    clock,
    log: logger,
    metrics,
  });
  const erasing = createEraseStore(connection);
  const puffs = createPuffService<Person>({ ...deps, log, store, metrics });
  const changes = createPuffEditService<Person>({ ...deps, log, store });
  const reads = createPuffReadService({ ...deps, log, store });
  const reconcile = createReconcile({
    store: tallies,
    live: log.history,
    // States of its own, so that each is read from its checkpoint; it writes none.
    stored: createPuffStateCache({
      store,
      recounts,
      checkpoints,
      onChange: () => undefined,
      clock,
      maxPeople: 1,
    }),
  });
  return {
    history: log.history,
    newestRevs: log.newestRevs,
    histories: log.histories,
    momentsBetween: log.momentsBetween,
    drainAll: log.drainAll,
    stop: log.stop,
    jobs: puffJobs({
      checkpoints,
      reconcile,
      absentAmong,
      purge: createPurge({ store: createPurgeStore(connection), log, checkpoints, clock }),
      flush: log.flush,
      metrics,
    }),
    countByHour: (people, { from, to }) => tallies.countByHour(people, { from, to, lateAfterMs }),
    drain: puffs.drain,
    findLive: reads.findLive,
    forgetUser: log.forget,
    async eraseUser(userId) {
      log.forget(userId);
      // The checkpoints first: without them the log is whole at any length, the other way round it is not.
      return (await checkpoints.drop(userId)) + (await erasing.removeLog(userId));
    },
    routes: puffRoutes(puffs, changes, reads),
    events: puffEvents(puffs, changes),
    async ensureIndexes() {
      await store.ensureIndexes();
      await checkpoints.ensureIndexes();
    },
  };
};
