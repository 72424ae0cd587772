import type { BatchPuffInput, BatchResult, ProblemCode } from '@pufftrack/contract';

/** Why the server rejected a puff permanently: its result in a batch, or the problem when it was sent alone. */
export type Rejection = Omit<BatchResult, 'status' | 'code'> & {
  status: 'rejected';
  code: ProblemCode;
  /** The detail of the problem, if there was one. */
  detail?: string;
};

/**
 * One row of the queue, plain JSON.
 * - `queued`: to be recorded.
 * - `rejected`: permanently rejected, until it is corrected, resent or discarded.
 * - `removing`: removed while a call was in flight or its outcome unknown: recorded first, then deleted.
 * - `deleting`: to be deleted on the server.
 */
export interface StoredPuff {
  readonly id: string;
  readonly state: 'queued' | 'rejected' | 'removing' | 'deleting';
  /** Calls that carried this puff and have no known outcome; 0: the server cannot hold it. */
  readonly unanswered: number;
  /** Absent in `deleting`. */
  readonly puff?: BatchPuffInput;
  /** In `rejected` only. */
  readonly rejection?: Rejection;
}

/** A stored row: up to version 0.1 it was the puff itself. */
export type StoredRow = StoredPuff | BatchPuffInput;

/** Persistent storage of the queue. One per account: its puffs are sent for the account that is signed in. */
export interface PuffStorage {
  /** In the order in which they were added. */
  list(): Promise<readonly StoredRow[]>;
  /**
   * Replaces each of these rows by what `change` returns; undefined is a row that does not exist, null removes it.
   * A row keeps its place. All or nothing, and atomic also against other tabs and instances on the same storage
   * (IndexedDB: one readwrite transaction). `change` has no side effects and may be called again.
   */
  update(
    ids: readonly string[],
    change: (row: StoredRow | undefined, id: string) => StoredRow | null,
  ): Promise<void>;
  /** Puffs per call, learned from earlier calls; undefined at first. */
  readBatchSize(): Promise<number | undefined>;
  writeBatchSize(puffs: number): Promise<void>;
}

export const memoryPuffStorage = (rows: Iterable<StoredRow> = []): PuffStorage => {
  const held = new Map<string, StoredRow>();
  for (const row of rows) held.set(row.id, row);
  let batchSize: number | undefined;
  return {
    list: () => Promise.resolve([...held.values()]),
    update: (ids, change) => {
      const changes = ids.map((id) => [id, change(held.get(id), id)] as const);
      for (const [id, row] of changes) {
        if (row === null) held.delete(id);
        else held.set(id, row);
      }
      return Promise.resolve();
    },
    readBatchSize: () => Promise.resolve(batchSize),
    writeBatchSize: (puffs) => {
      batchSize = puffs;
      return Promise.resolve();
    },
  };
};
