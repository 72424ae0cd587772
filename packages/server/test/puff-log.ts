import { pino } from 'pino';
import { createMetrics } from '../src/platform/telemetry/metrics.ts';
import { newUuid } from '../src/platform/ids.ts';
import { connectMongo } from '../src/platform/mongo/connect.ts';
import type { Admission } from '../src/services/puffs/commit/admission.ts';
import type { FindDeletedUsers } from '../src/services/puffs/ports.ts';
import { createCheckpointStore, type CheckpointStore } from '../src/services/puffs/state/checkpoint-store.ts';
import { createBulkLogStore, type BulkLogStore } from '../src/services/puffs/log/bulk-log-store.ts';
import { createPuffLog, type PuffLog } from '../src/services/puffs/commit/puff-log.ts';
import { createPuffMetrics } from '../src/services/puffs/log/puff-metrics.ts';
import { newPuff, type NewPuff } from '../src/services/puffs/domain/puff.ts';
import { PuffState } from '../src/services/puffs/state/puff-state.ts';
import { createPuffStore, type PuffStore } from '../src/services/puffs/log/puff-store.ts';
import { createRecountStore } from '../src/services/puffs/state/recount-store.ts';

/** The log as one server process has it, on a connection of its own. */
export interface LogProcess {
  readonly log: PuffLog;
  readonly store: PuffStore;
  readonly checkpoints: CheckpointStore;
  close(): Promise<void>;
}

/** `wrap...` put a fault between the log and the real store. */
export const openLog = async (
  uri: string,
  options: {
    wrapStore?: (store: PuffStore) => PuffStore;
    wrapCheckpoints?: (store: CheckpointStore) => CheckpointStore;
    wrapBulk?: (store: BulkLogStore) => BulkLogStore;
    maxPeople?: number;
    maxQueued?: number;
    checkpointEveryMs?: number;
    /** Whose account is gone; nobody's unless told. */
    findDeletedUsers?: FindDeletedUsers;
    /** Everybody is admitted unless told. */
    admission?: Admission;
  } = {},
): Promise<LogProcess> => {
  const { wrapStore, wrapCheckpoints, wrapBulk, findDeletedUsers, admission, ...limits } = options;
  const connection = await connectMongo(uri);
  const store = createPuffStore(connection);
  const checkpoints = createCheckpointStore(connection);
  const bulk = createBulkLogStore(connection);
  await store.ensureIndexes();
  await checkpoints.ensureIndexes();
  const log = createPuffLog({
    store: wrapStore?.(store) ?? store,
    recounts: createRecountStore(connection),
    checkpoints: wrapCheckpoints?.(checkpoints) ?? checkpoints,
    bulk: wrapBulk?.(bulk) ?? bulk,
    clock: { now: () => logNow },
    findDeletedUsers: findDeletedUsers ?? (() => Promise.resolve([])),
    admission: admission ?? { check: () => 'granted', read: () => Promise.resolve() },
    log: pino({ level: 'silent' }),
    metrics: createPuffMetrics(createMetrics()),
    ...limits,
  });
  return { log, store, checkpoints, close: () => connection.close() };
};

const start = Date.parse('2026-10-24T18:00:00Z');
/** When all of `puffNumber` are over. */
export const logNow = start + 700 * 30 * 60_000;

/** The `index`th puff of a row that goes on every half hour, across a clock change and the end of a month. */
export const puffNumber = (index: number, id = newUuid()): NewPuff => {
  const timestamp = start + (index % 700) * 30 * 60_000;
  return newPuff(
    { id, timestamp: new Date(timestamp).toISOString(), quantity: 1 + (index % 3) },
    { timeZone: 'Europe/Berlin', product: 'vape' },
    logNow,
    'session',
  );
};

/** Everything in the log of a person, counted anew from the raw records by their own fold; throws at a hole. */
export const recount = async (store: PuffStore, person: string): Promise<PuffState> => {
  const state = new PuffState();
  for (const record of await store.readAfter(person, 0, 1_000_000)) {
    if (record.rev !== state.rev + 1)
      throw new Error(`number ${state.rev + 1} is missing before ${record.rev}`);
    if (record.kind === 'change') throw new Error('this recount knows puffs alone');
    state.fold(record);
  }
  return state;
};

/** Resends until every puff is acknowledged, as a phone does. Answers how often each id was called created. */
export const sendUntilAcknowledged = async (
  log: PuffLog,
  person: string,
  puffs: readonly NewPuff[],
  created = new Map<string, number>(),
): Promise<Map<string, number>> => {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      const { outcomes } = await log.append(person, puffs, 0);
      puffs.forEach((puff, index) => {
        if (outcomes[index]?.status === 'created') created.set(puff.id, (created.get(puff.id) ?? 0) + 1);
      });
      return created;
    } catch (error) {
      if ((error as { code?: string }).code !== 'overloaded') throw error;
    }
  }
  throw new Error('not acknowledged after 50 attempts');
};
