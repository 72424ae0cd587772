import type { BatchAnswer, BatchPuffInput, BatchResult, PuffInput, UserStats } from '@pufftrack/contract';
import { ApiError } from './api-error.ts';
import type { PuffStorage } from './puff-storage.ts';

/** Half of what the contract takes, so that a slow phone line gets its acks in time. */
const maxBatchItems = 500;
/** Below the contract's 512 KB, with room for the envelope. */
const maxBatchBytes = 480 * 1024;
/** So many single puffs refused in a row: the fault is not in the puffs. */
const maxRefusedInARow = 3;

export interface FlushResult {
  created: number;
  /** Recorded by an earlier attempt whose answer was lost. */
  duplicates: number;
  /** Refused for good and out of the queue; add a corrected copy, the id may stay. */
  rejected: { puff: BatchPuffInput; result: BatchResult }[];
  /** Refused even alone, though not by a result of their own. Still queued, behind all others; see `remove`. */
  refused: { puff: BatchPuffInput; error: ApiError }[];
  /** Still queued, those in `refused` included. */
  pending: number;
  /** Why the flush stopped early (no network, 503, 429, sign-in or consent missing); flush again later. */
  stoppedBy: ApiError | undefined;
  /** From the newest answer. */
  stats: UserStats | undefined;
}

/** Puffs recorded offline. Each keeps its id over all attempts, so a lost answer never counts one twice. */
export interface PuffQueue {
  /** Kept in the storage when the promise resolves. */
  add(puff?: PuffInput): Promise<BatchPuffInput>;
  /** Sends what waits. Concurrent calls share one run, which covers everything added before the last of them. */
  flush(): Promise<FlushResult>;
  list(): Promise<readonly BatchPuffInput[]>;
  remove(ids: readonly string[]): Promise<void>;
  /** Drops everything that waits. */
  clear(): Promise<void>;
}

const encoder = new TextEncoder();

/** The longest head of the list that fits one call; never empty, so one giant cannot hold up the rest. */
const headBatch = (puffs: readonly BatchPuffInput[]): BatchPuffInput[] => {
  const batch: BatchPuffInput[] = [];
  let bytes = 0;
  for (const puff of puffs.slice(0, maxBatchItems)) {
    bytes += encoder.encode(JSON.stringify(puff)).length + 1;
    if (batch.length > 0 && bytes > maxBatchBytes) break;
    batch.push(puff);
  }
  return batch;
};

/** A refusal that one item of the batch may have caused; every other one would meet any batch. */
const mayBeAnItem = (error: unknown): error is ApiError =>
  error instanceof ApiError && [400, 413, 422, 500].includes(error.status) && error.code !== 'network';

export const createPuffQueue = (options: {
  storage: PuffStorage;
  send: (puffs: BatchPuffInput[]) => Promise<BatchAnswer>;
  now: () => number;
  newId: () => string;
}): PuffQueue => {
  const { storage, send, now, newId } = options;
  const refusedIds = new Set<string>();
  let running: Promise<FlushResult> | undefined;
  let joins = 0;

  const settle = async (
    batch: readonly BatchPuffInput[],
    answer: BatchAnswer,
    result: FlushResult,
  ): Promise<void> => {
    const done: string[] = [];
    for (const [index, puff] of batch.entries()) {
      // In request order; a puff without a result stays queued.
      const own = answer.results[index];
      if (own === undefined || (own.id !== null && own.id !== puff.id)) continue;
      if (own.status === 'created') result.created += 1;
      else if (own.status === 'duplicate') result.duplicates += 1;
      else result.rejected.push({ puff, result: own });
      done.push(puff.id);
      refusedIds.delete(puff.id);
    }
    result.stats = answer.stats;
    await storage.remove(done);
  };

  /** Halves a batch that is refused as a whole until the items that cause it stand alone. */
  const sendBatch = async (
    batch: BatchPuffInput[],
    result: FlushResult,
    row: { refused: number },
  ): Promise<void> => {
    let answer: BatchAnswer;
    try {
      answer = await send(batch);
    } catch (error) {
      if (!mayBeAnItem(error)) throw error;
      const [first] = batch;
      if (batch.length === 1 && first) {
        refusedIds.add(first.id);
        result.refused.push({ puff: first, error });
        row.refused += 1;
        if (row.refused >= maxRefusedInARow) throw error;
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await sendBatch(batch.slice(0, middle), result, row);
      await sendBatch(batch.slice(middle), result, row);
      return;
    }
    row.refused = 0;
    await settle(batch, answer, result);
  };

  /** The next puffs of this flush; those refused before come last and alone. */
  const nextBatch = async (tried: ReadonlySet<string>): Promise<BatchPuffInput[]> => {
    const waiting = (await storage.list()).filter(({ id }) => !tried.has(id));
    const untouched = waiting.filter(({ id }) => !refusedIds.has(id));
    return untouched.length > 0 ? headBatch(untouched) : waiting.slice(0, 1);
  };

  const drain = async (): Promise<FlushResult> => {
    const result: FlushResult = {
      created: 0,
      duplicates: 0,
      rejected: [],
      refused: [],
      pending: 0,
      stoppedBy: undefined,
      stats: undefined,
    };
    const tried = new Set<string>();
    const row = { refused: 0 };
    try {
      for (;;) {
        const joinsBefore = joins;
        const batch = await nextBatch(tried);
        // A caller that joined while the list was read may have added a puff that it does not hold.
        if (batch.length === 0 && joins !== joinsBefore) continue;
        if (batch.length === 0) break;
        for (const { id } of batch) tried.add(id);
        await sendBatch(batch, result, row);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      result.stoppedBy = error;
    } finally {
      running = undefined;
    }
    result.pending = (await storage.list()).length;
    return result;
  };

  return {
    add: async (puff = {}) => {
      const kept: BatchPuffInput = {
        ...puff,
        // The server answers ids in lower case; results are matched by them.
        id: (puff.id ?? newId()).toLowerCase(),
        timestamp: puff.timestamp ?? new Date(now()).toISOString(),
      };
      await storage.add(kept);
      return kept;
    },
    flush: () => {
      if (running) joins += 1;
      else running = drain();
      return running;
    },
    list: () => storage.list(),
    remove: (ids) => storage.remove(ids),
    clear: async () => {
      refusedIds.clear();
      await storage.remove((await storage.list()).map(({ id }) => id));
    },
  };
};
