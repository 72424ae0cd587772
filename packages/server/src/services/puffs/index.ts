/**
 * puffs: owns `PuffRecord`, the per-person log, and its checkpoints; the only code that writes them or reads them.
 * It says what was counted (`history`), never what a count means for a streak or a limit.
 */
import type { Connection } from 'mongoose';
import type { Logger } from '../../platform/logger.ts';
import type { Route } from '../../platform/http/route.ts';
import type { SocketEvent } from '../../platform/realtime/socket-event.ts';
import { createCheckpointStore } from './checkpoint-store.ts';
import { puffEvents } from './puff-events.ts';
import { createPuffLog, type PuffLog } from './puff-log.ts';
import { puffRoutes } from './puff-routes.ts';
import { createPuffChangeService } from './puff-change-service.ts';
import type { PuffPerson } from './puff-person.ts';
import { createPuffReadService } from './puff-read-service.ts';
import { createPuffService } from './puff-service.ts';
import { createPurge } from './purge.ts';
import { createPurgeStore } from './purge-store.ts';
import { createRecountStore } from './recount-store.ts';
import { createPuffStore } from './puff-store.ts';

export * from './local-day.ts';
export type { PuffHistory } from './puff-history.ts';
export type { PuffLog } from './puff-log.ts';
export type { PuffPerson, PuffsChanged, PuffsRecorded } from './puff-person.ts';

export interface Puffs extends Pick<PuffLog, 'history' | 'settle' | 'stop'> {
  routes: Route[];
  events: SocketEvent[];
  /** Removes for good what was deleted long enough ago; answers how many deletions were made final. */
  purge(): Promise<number>;
  ensureIndexes(): Promise<void>;
}

export const createPuffs = <Person extends PuffPerson>(
  deps: { connection: Connection; logger: Logger } & Omit<
    Parameters<typeof createPuffService<Person>>[0] & Parameters<typeof createPuffChangeService<Person>>[0],
    'log' | 'store'
  >,
): Puffs => {
  const { connection, clock, logger } = deps;
  const store = createPuffStore(connection);
  const checkpoints = createCheckpointStore(connection);
  const log = createPuffLog({
    store,
    recounts: createRecountStore(connection),
    checkpoints,
    clock,
    log: logger,
  });
  const puffs = createPuffService<Person>({ ...deps, log, store });
  const changes = createPuffChangeService<Person>({ ...deps, log, store });
  const reads = createPuffReadService({ ...deps, log, store });
  return {
    history: log.history,
    settle: log.settle,
    stop: log.stop,
    purge: createPurge({ store: createPurgeStore(connection), log, checkpoints, clock }),
    routes: puffRoutes(puffs, changes, reads),
    events: puffEvents(puffs, changes),
    async ensureIndexes() {
      await store.ensureIndexes();
      await checkpoints.ensureIndexes();
    },
  };
};
