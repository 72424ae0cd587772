import type { BatchAnswer, BatchPuffInput, UserStats } from '@pufftrack/contract';
import { ApiError } from './api-error.ts';
import { createBatchSize, headBatch } from './batch-size.ts';
import { handlingOf, wasCut } from './problem-handling.ts';
import type { PuffStorage, Rejection } from './puff-storage.ts';
import * as rows from './stored-puffs.ts';

/** The flush stops after this many consecutive rejections of single puffs: the cause is hardly the puffs. */
const maxRefusedInARow = 10;
/** A larger interrupted batch is halved and resent at once; a smaller one failed because of the network, not its size. */
const smallBatch = 10;
const maxCutsInARow = 3;

export interface FlushResult {
  created: number;
  /** Recorded by an earlier attempt whose response was lost. */
  duplicates: number;
  /** Pending removals that were deleted on the server, or unknown to it. */
  removed: number;
  /** Rejected permanently in this flush; `rejected()` lists them from now on. */
  rejected: { puff: BatchPuffInput; result: Rejection }[];
  /** Failed with a server error even when sent alone. Still queued, after all others. */
  refused: { puff: BatchPuffInput; error: ApiError }[];
  /** Pending puffs and removals, without rejected ones. */
  pending: number;
  /** Why the flush stopped early; `handlingOf` returns what is needed to continue. */
  stoppedBy: ApiError | undefined;
  /** From the newest answer. */
  stats: UserStats | undefined;
}

export interface QueueCalls {
  send: (puffs: BatchPuffInput[]) => Promise<BatchAnswer>;
  remove: (id: string) => Promise<{ stats: UserStats }>;
}

const rejectionBy = (id: string, { code, problem }: ApiError): Rejection => ({
  id,
  status: 'rejected',
  code: code === 'network' ? 'invalid' : code,
  ...(problem && { detail: problem.detail }),
  ...(problem?.errors && { errors: problem.errors }),
  ...(problem?.serverTime !== undefined && { serverTime: problem.serverTime }),
});

/**
 * One flush: sends batches until the queue is empty, then removals of confirmed puffs. Each row is written before and
 * after a call, so that a run can be interrupted at any point and resumed by another one.
 */
export const createFlush = (options: {
  storage: PuffStorage;
  calls: QueueCalls;
  /** Ids that failed with a server error alone, in this or an earlier flush. */
  setAside: Set<string>;
}) => {
  const { storage, calls, setAside } = options;
  const batchSize = createBatchSize(storage);
  const result: FlushResult = {
    created: 0,
    duplicates: 0,
    removed: 0,
    rejected: [],
    refused: [],
    pending: 0,
    stoppedBy: undefined,
    stats: undefined,
  };
  /** Queued, but not for this flush. */
  const skipped = new Set<string>();
  let refusedInARow = 0;
  let cutsInARow = 0;
  let creationRefused = false;

  const handleAnswer = async (batch: readonly rows.PuffToSend[], answer: BatchAnswer): Promise<void> => {
    const done: string[] = [];
    const rejections = new Map<string, Rejection>();
    for (const [index, { id, puff }] of batch.entries()) {
      // In request order.
      const own = answer.results[index];
      if (own === undefined || (own.id !== null && own.id !== id)) {
        skipped.add(id);
      } else if (own.status === 'rejected') {
        const rejection: Rejection = { ...own, status: 'rejected', code: own.code ?? 'invalid' };
        rejections.set(id, rejection);
        result.rejected.push({ puff, result: rejection });
      } else {
        result[own.status === 'created' ? 'created' : 'duplicates'] += 1;
        done.push(id);
      }
    }
    result.stats = answer.stats;
    await rows.updateRows(storage, done, rows.afterCreation);
    await rows.updateRows(
      storage,
      [...rejections.keys()],
      rows.afterRejection((id) => rejections.get(id)),
    );
  };

  const refuseOne = async ({ id, puff }: rows.PuffToSend, error: ApiError): Promise<void> => {
    refusedInARow += 1;
    if (handlingOf(error) === 'reject') {
      const rejection = rejectionBy(id, error);
      await rows.updateRows(
        storage,
        [id],
        rows.afterRejection(() => rejection),
      );
      result.rejected.push({ puff, result: rejection });
    } else {
      setAside.add(id);
      skipped.add(id);
      result.refused.push({ puff, error });
    }
    if (refusedInARow >= maxRefusedInARow) throw error;
  };

  /** Halves a rejected batch until the puffs that cause the rejection are alone. */
  const sendBatch = async (candidates: readonly rows.PuffToSend[]): Promise<void> => {
    const listed = candidates.map(({ id }) => id);
    // Without puffs that were cancelled, or confirmed to another instance, since they were listed.
    const batch = (await rows.updateRows(storage, listed, rows.beforeCall)).filter(rows.isToSend);
    if (batch.length === 0) return;
    const ids = batch.map(({ id }) => id);
    let answer: BatchAnswer;
    try {
      answer = await calls.send(batch.map(({ puff }) => puff));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const isForPuffs = ['reject', 'set-aside'].includes(handlingOf(error));
      const [first] = batch;
      if (isForPuffs && first && batch.length === 1) {
        await refuseOne(first, error);
        return;
      }
      if (hasDoneNothing(error)) await rows.updateRows(storage, ids, rows.afterRefusal);
      if (!isForPuffs) {
        if (wasCut(error)) await batchSize.cut(batch.length);
        throw error;
      }
      const middle = Math.ceil(batch.length / 2);
      await sendBatch(batch.slice(0, middle));
      await sendBatch(batch.slice(middle));
      return;
    }
    refusedInARow = 0;
    cutsInARow = 0;
    await handleAnswer(batch, answer);
    for (const id of ids) setAside.delete(id);
    await batchSize.succeeded(batch.length);
  };

  const create = async (batch: readonly rows.PuffToSend[]): Promise<void> => {
    try {
      await sendBatch(batch);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (wasCut(error)) {
        cutsInARow += 1;
        if (batch.length > smallBatch && cutsInARow < maxCutsInARow) return;
      }
      if (handlingOf(error) !== 'consent') throw error;
      // A deletion needs no consent.
      creationRefused = true;
      result.stoppedBy = error;
    }
  };

  const remove = async ({ id, state }: rows.StoredPuff): Promise<void> => {
    try {
      result.stats = (await calls.remove(id)).stats;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const handling = handlingOf(error);
      if (handling === 'set-aside') {
        skipped.add(id);
        refusedInARow += 1;
        if (refusedInARow >= maxRefusedInARow) throw error;
        return;
      }
      if (handling !== 'reject' && error.code !== 'not-found') throw error;
      // Unknown to the server. A call without a response may still create it.
      if (state === 'removing') {
        skipped.add(id);
        return;
      }
    }
    refusedInARow = 0;
    result.removed += 1;
    await rows.updateRows(storage, [id], rows.afterDeletion);
  };

  /** The next puffs; those that failed with a server error before are sent last and alone. */
  const nextBatch = async (waiting: readonly rows.StoredPuff[]): Promise<rows.PuffToSend[]> => {
    if (creationRefused) return [];
    const toSend = waiting.filter(rows.isToSend);
    const untouched = toSend.filter(({ id }) => !setAside.has(id));
    return untouched.length > 0 ? headBatch(untouched, await batchSize.read()) : toSend.slice(0, 1);
  };

  return {
    result,
    /** False if this flush has nothing left to do. */
    step: async (): Promise<boolean> => {
      const waiting = (await rows.listRows(storage)).filter(({ id }) => !skipped.has(id));
      const batch = await nextBatch(waiting);
      if (batch.length > 0) {
        await create(batch);
        return true;
      }
      const deletion = waiting.find(
        ({ state }) => state === 'deleting' || (state === 'removing' && creationRefused),
      );
      if (!deletion) return false;
      await remove(deletion);
      return true;
    },
  };
};

/**
 * The problem was sent before anything was recorded. A missing consent is excluded, because it may be withdrawn between two
 * parts of a batch.
 */
const hasDoneNothing = ({ problem, status, code }: ApiError): boolean =>
  problem !== undefined && status < 500 && code !== 'consent-required';
