/**
 * puffs: owns `PuffRecord`, the per-person log, and its checkpoints; the only code that writes or reads them. It answers
 * what was counted (`history`), never what a count means for a streak or a limit. Each room uses only those before it:
 * `domain` the values and rules of puffs, `log` the log's collection, `state` the fold of a log with its cache and
 * checkpoints, `commit` every write to a log, `maintenance` jobs and migrations; the services stand at the top.
 */
import type { Puff } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { SocketEvent } from '../../platform/realtime/socket-event.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import { createAdmission } from './commit/admission.ts';
import { createPuffLog, type PuffLog } from './commit/puff-log.ts';
import { backdatedAfterMs } from './domain/puff.ts';
import { createBulkLogStore } from './log/bulk-log-store.ts';
import { createEraseStore } from './log/erase-store.ts';
import { createPuffMetrics } from './log/puff-metrics.ts';
import { createPuffStore } from './log/puff-store.ts';
import { puffJobs } from './maintenance/puff-jobs.ts';
import { createRecordSumsStore, type PersonHour } from './maintenance/record-sums-store.ts';
import type { ConsentPolicy, LiveEvents, PuffPerson, StatsReader, UserDirectory } from './ports.ts';
import { createPuffEditService } from './puff-edit-service.ts';
import { puffEvents } from './puff-events.ts';
import { createPuffReadService } from './puff-read-service.ts';
import { puffRoutes } from './puff-routes.ts';
import { createPuffService } from './puff-service.ts';
import { createCheckpointStore } from './state/checkpoint-store.ts';
import { createRecountStore } from './state/recount-store.ts';

export { orderPuffIndex } from './maintenance/puff-index-migration.ts';
export { dateLateEntries } from './maintenance/late-entries-migration.ts';
export { dropHiddenMonths } from './maintenance/hidden-months-migration.ts';
export type { DateSpan, DayMarks, Moment, PuffHistory } from './domain/puff-history.ts';
export type { PuffLog } from './commit/puff-log.ts';
export type { PuffPerson, PuffsChanged, PuffsRecorded } from './ports.ts';
export type { PersonHour } from './maintenance/record-sums-store.ts';

/** A puff received later than this after it happened counts for its owner, and not in the platform's sums. */
export const lateAfterMs = backdatedAfterMs;

export interface Puffs extends Pick<
  PuffLog,
  'history' | 'newestRevs' | 'histories' | 'momentsBetween' | 'stop'
> {
  routes: Route[];
  events: SocketEvent[];
  jobs: Job[];
  /** Sums of these people in [from, to) (ms) by UTC hour and product, without what was received `lateAfterMs` late. */
  countByHour(people: readonly string[], range: { from: number; to: number }): Promise<PersonHour[]>;
  /** The current values of a live puff; undefined for any other id. */
  findLive(userId: string, id: string): Promise<Puff | undefined>;
  /** Resolves when every write of this person that was admitted before is stored or refused, in this process. */
  drainUser(userId: string): Promise<void>;
  /** Resolves when every write admitted by this process is stored or rejected and its checkpoints are written. */
  drain(): Promise<void>;
  /** Drops what this process holds of a deleted account, pending writes included. */
  forgetUser(userId: string): void;
  /** Deletes the log and the checkpoints of this person; returns the number of rows. Idempotent. */
  eraseUser(userId: string): Promise<number>;
  ensureIndexes(): Promise<void>;
}

export const createPuffs = <Person extends PuffPerson>(deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  users: UserDirectory<Person>;
  consents: ConsentPolicy<Person>;
  stats: StatsReader<Person>;
  liveEvents: LiveEvents<Person>;
}): Puffs => {
  const { connection, users } = deps;
  const metrics = createPuffMetrics(deps.metrics);
  const stores = {
    store: createPuffStore(connection),
    checkpoints: createCheckpointStore(connection),
    recounts: createRecountStore(connection),
  };
  const sums = createRecordSumsStore(connection);
  const erasing = createEraseStore(connection);
  const puffLog = createPuffLog({
    ...deps,
    ...stores,
    bulk: createBulkLogStore(connection),
    findDeletedUsers: users.findDeletedUsers,
    admission: createAdmission(deps),
    metrics,
  });
  const parts = { ...deps, store: stores.store, puffLog, metrics };
  const puffs = createPuffService<Person>(parts);
  const edits = createPuffEditService<Person>(parts);
  const reads = createPuffReadService(parts);
  return {
    history: puffLog.history,
    newestRevs: puffLog.newestRevs,
    histories: puffLog.histories,
    momentsBetween: puffLog.momentsBetween,
    drain: puffLog.drainAll,
    stop: puffLog.stop,
    jobs: puffJobs({ ...parts, ...stores, connection, sums, findDeletedUsers: users.findDeletedUsers }),
    countByHour: (people, { from, to }) => sums.countByHour(people, { from, to, lateAfterMs }),
    drainUser: puffs.drain,
    findLive: reads.findLive,
    forgetUser: puffLog.evict,
    async eraseUser(userId) {
      puffLog.evict(userId);
      // The checkpoints first: a log without checkpoints is complete at any length, checkpoints without a log are not.
      return (await stores.checkpoints.drop(userId)) + (await erasing.removeLog(userId));
    },
    routes: puffRoutes(puffs, edits, reads),
    events: puffEvents(puffs, edits),
    async ensureIndexes() {
      await stores.store.ensureIndexes();
      await stores.checkpoints.ensureIndexes();
    },
  };
};
