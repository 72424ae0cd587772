/**
 * puffs: owns `PuffRecord`, the per-person log, and its checkpoints; the only code that writes them or reads them.
 * It says what was counted (`history`), never what a count means for a streak or a limit.
 */
import type { Connection } from 'mongoose';
import type { Logger } from '../../platform/logger.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/jobs/job.ts';
import type { SocketEvent } from '../../platform/realtime/socket-event.ts';
import { createCheckpointStore } from './checkpoint-store.ts';
import { backdatedAfterMs } from './puff.ts';
import { puffEvents } from './puff-events.ts';
import { puffJobs } from './puff-jobs.ts';
import { createPuffLog, type PuffLog } from './puff-log.ts';
import { puffRoutes } from './puff-routes.ts';
import { createPuffPeople } from './puff-people.ts';
import { createPuffService, type PuffPerson } from './puff-service.ts';
import { createPuffStore, type PersonHour } from './puff-store.ts';
import { createReconcile } from './reconcile.ts';

export * from './local-day.ts';
export { orderPuffIndex } from './puff-index-migration.ts';
export type { PuffLog } from './puff-log.ts';
export type { PuffPerson, PuffsRecorded } from './puff-service.ts';
export type { PuffHistory } from './puff-history.ts';
export type { PersonHour } from './puff-store.ts';

/** What is received later than this after it happened counts for its person, and no more for the platform. */
export const lateAfterMs = backdatedAfterMs;

export interface Puffs extends Pick<PuffLog, 'history' | 'settle' | 'stop'> {
  routes: Route[];
  events: SocketEvent[];
  jobs: Job[];
  /** What these people took in [from, to) (ms), by hour of UTC and product; nothing that came `lateAfterMs` late. */
  countByHour(people: readonly string[], range: { from: number; to: number }): Promise<PersonHour[]>;
  ensureIndexes(): Promise<void>;
}

export const createPuffs = <Person extends PuffPerson>(
  deps: { connection: Connection; logger: Logger } & Omit<
    Parameters<typeof createPuffService<Person>>[0],
    'log' | 'store'
  >,
): Puffs => {
  const store = createPuffStore(deps.connection);
  const checkpoints = createCheckpointStore(deps.connection);
  const log = createPuffLog({ store, checkpoints, log: deps.logger });
  const service = createPuffService<Person>({ ...deps, log, store });
  const reconcile = createReconcile({
    store,
    live: log.history,
    // States of its own, so that each is read from its checkpoint; it writes none.
    stored: createPuffPeople({ store, checkpoints, onChange: () => undefined, maxPeople: 1 }),
  });
  return {
    jobs: puffJobs({ checkpoints, reconcile, settle: log.settle }),
    countByHour: (people, { from, to }) => store.countByHour(people, { from, to, lateAfterMs }),
    history: log.history,
    settle: log.settle,
    stop: log.stop,
    routes: puffRoutes(service),
    events: puffEvents(service),
    async ensureIndexes() {
      await store.ensureIndexes();
      await checkpoints.ensureIndexes();
    },
  };
};
