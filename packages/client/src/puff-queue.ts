import type { BatchPuffInput, PuffInput } from '@pufftrack/contract';
import { ApiError } from './api-error.ts';
import { timestampWithOffset } from './phone-timestamp.ts';
import { createFlush, type FlushResult, type QueueCalls } from './puff-flush.ts';
import type { PuffStorage, Rejection } from './puff-storage.ts';
import * as rows from './stored-puffs.ts';

/** A puff that the server rejected permanently, and the reason. */
export interface RejectedPuff {
  readonly puff: BatchPuffInput;
  readonly result: Rejection;
}

/**
 * Puffs recorded offline. Each keeps its id over all attempts, so a lost response never counts one twice. A puff leaves
 * the queue only when the server has confirmed it, or by `remove`, `discard` or `clear`. Every change is stored when its
 * promise resolves.
 */
export interface PuffQueue {
  /** The first of two with the same id stays, except that it replaces a rejected one. */
  add(puff?: PuffInput): Promise<BatchPuffInput>;
  /** Sends the queued puffs. Concurrent calls share one run, which covers everything added before the last call. */
  flush(): Promise<FlushResult>;
  /** The queued puffs. */
  list(): Promise<readonly BatchPuffInput[]>;
  /**
   * Cancels a queued puff. If its call is in flight or has no known outcome, it is recorded and then deleted by this or a
   * later flush; any other id is deleted on the server by the next flush.
   */
  remove(ids: readonly string[]): Promise<void>;
  /** Puffs that the server rejected permanently, until they are corrected, resent or discarded. */
  rejected(): Promise<readonly RejectedPuff[]>;
  /** Changes a rejected puff and queues it again; undefined if no rejected puff has this id. */
  correct(id: string, patch: Omit<PuffInput, 'id'>): Promise<BatchPuffInput | undefined>;
  /** Queues a rejected puff again as it is, e.g. after the phone's clock was set. */
  resend(id: string): Promise<BatchPuffInput | undefined>;
  /** Drops a rejected puff; false if no rejected puff has this id. */
  discard(id: string): Promise<boolean>;
  /** Drops everything, rejected puffs and removals included. */
  clear(): Promise<void>;
}

/** The device's offset says nothing about a puff for which the app names another zone. */
const timestampOf = (at: Date, timeZone: string | null | undefined): string => {
  return timeZone == null || zoneName(timeZone) === zoneName() ? timestampWithOffset(at) : at.toISOString();
};

/** One name for a zone and its aliases (`Asia/Calcutta`, `Asia/Kolkata`), as far as this engine knows them; without a name, the device's. */
const zoneName = (timeZone?: string): string | undefined => {
  try {
    return new Intl.DateTimeFormat('en', timeZone === undefined ? {} : { timeZone }).resolvedOptions()
      .timeZone;
  } catch {
    return undefined;
  }
};

export const createPuffQueue = (
  options: QueueCalls & { storage: PuffStorage; now: () => number; newId: () => string },
): PuffQueue => {
  const { storage, now, newId } = options;
  const setAside = new Set<string>();
  let running: Promise<FlushResult> | undefined;
  let joins = 0;

  const run = async (): Promise<FlushResult> => {
    const { result, step } = createFlush({ storage, calls: options, setAside });
    try {
      for (;;) {
        const joinsBefore = joins;
        // A caller that joined during the read may have added a puff that it missed.
        if (!(await step()) && joins === joinsBefore) break;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      result.stoppedBy = error;
    } finally {
      running = undefined;
    }
    result.pending = (await rows.listRows(storage)).filter(({ state }) => state !== 'rejected').length;
    return result;
  };

  const correct: PuffQueue['correct'] = async (givenId, patch) => {
    const id = givenId.toLowerCase();
    let corrected: BatchPuffInput | undefined;
    await rows.updateRows(storage, [id], (row) => {
      corrected = undefined;
      if (row?.state !== 'rejected' || !row.puff) return row ?? null;
      corrected = { ...row.puff, ...patch, id, timestamp: patch.timestamp ?? row.puff.timestamp };
      return rows.added(corrected)(row, id);
    });
    return corrected;
  };

  return {
    add: async (puff = {}) => {
      const kept: BatchPuffInput = {
        ...puff,
        // The server answers ids in lower case; results are matched by them.
        id: (puff.id ?? newId()).toLowerCase(),
        timestamp: puff.timestamp ?? timestampOf(new Date(now()), puff.timeZone),
      };
      await rows.updateRows(storage, [kept.id], rows.added(kept));
      return kept;
    },
    flush: () => {
      if (running) joins += 1;
      else running = run();
      return running;
    },
    list: async () =>
      (await rows.listRows(storage)).flatMap(({ state, puff }) => (state === 'queued' && puff ? [puff] : [])),
    remove: async (ids) => {
      const lower = new Set(ids.map((id) => id.toLowerCase()));
      await rows.updateRows(storage, [...lower], rows.removed);
    },
    rejected: async () =>
      (await rows.listRows(storage)).flatMap(({ puff, rejection }) =>
        puff && rejection ? [{ puff, result: rejection }] : [],
      ),
    correct,
    resend: (id) => correct(id, {}),
    discard: async (id) => {
      let wasRejected = false;
      await rows.updateRows(storage, [id.toLowerCase()], (row, lower) => {
        wasRejected = row?.state === 'rejected';
        return rows.discarded(row, lower);
      });
      return wasRejected;
    },
    clear: async () => {
      setAside.clear();
      const ids = (await rows.listRows(storage)).map(({ id }) => id);
      await rows.updateRows(storage, ids, () => null);
    },
  };
};
