import { Uuid, type BatchPuffInput } from '@pufftrack/contract';
import type { PuffStorage, Rejection, StoredPuff, StoredRow } from './puff-storage.ts';

export type { StoredPuff };

/** A row that holds a puff to be recorded. */
export type PuffToSend = StoredPuff & { readonly puff: BatchPuffInput };

/** How a row changes; undefined: there is none, null: remove it. */
export type RowChange = (row: StoredPuff | undefined, id: string) => StoredPuff | null;

/** A row of version 0.1 does not say whether it was sent: it counts as sent, which is safe in both cases. */
const fromStored = (row: StoredRow): StoredPuff =>
  'state' in row ? row : { id: row.id, state: 'queued', unanswered: 1, puff: row };

export const listRows = async (storage: PuffStorage): Promise<StoredPuff[]> =>
  (await storage.list()).map(fromStored);

/** Resolves with the rows as they are afterwards, without those that do not exist. */
export const updateRows = async (
  storage: PuffStorage,
  ids: readonly string[],
  change: RowChange,
): Promise<StoredPuff[]> => {
  const after = new Map<string, StoredPuff | null>();
  await storage.update(ids, (row, id) => {
    const changed = change(row && fromStored(row), id);
    after.set(id, changed);
    return changed;
  });
  return [...after.values()].filter((row) => row !== null);
};

export const isToSend = (row: StoredPuff | undefined): row is PuffToSend =>
  row?.puff !== undefined && (row.state === 'queued' || row.state === 'removing');

const toDelete = (id: string): StoredPuff => ({ id, state: 'deleting', unanswered: 0 });

/** The first of two with the same id stays, as on the server; a rejected puff is replaced. */
export const added =
  (puff: BatchPuffInput): RowChange =>
  (row, id) =>
    row === undefined || row.state === 'rejected'
      ? { id, state: 'queued', unanswered: row?.unanswered ?? 0, puff }
      : row;

/** From here on the server may have the puff, until a response says otherwise. */
export const beforeCall: RowChange = (row) =>
  isToSend(row) ? { ...row, unanswered: row.unanswered + 1 } : (row ?? null);

export const afterCreation: RowChange = (row, id) =>
  row?.state === 'removing' || row?.state === 'deleting' ? toDelete(id) : null;

/** The server has recorded nothing: undoes `beforeCall`. */
export const afterRefusal: RowChange = (row) => {
  if (!isToSend(row)) return row ?? null;
  const unanswered = Math.max(0, row.unanswered - 1);
  return row.state === 'removing' && unanswered === 0 ? null : { ...row, unanswered };
};

/** A removed puff is deleted if an earlier call without a response may have created it. */
export const afterRejection =
  (rejectionOf: (id: string) => Rejection | undefined): RowChange =>
  (row, id) => {
    const rejection = rejectionOf(id);
    if (!isToSend(row) || rejection === undefined) return row ?? null;
    const unanswered = Math.max(0, row.unanswered - 1);
    if (row.state === 'queued') return { id, state: 'rejected', unanswered, puff: row.puff, rejection };
    return unanswered === 0 ? null : toDelete(id);
  };

export const removed: RowChange = (row, id) => {
  // Not in the queue: it may be on the server, unless its id is not a UUID.
  if (row === undefined) return Uuid.safeParse(id).success ? toDelete(id) : null;
  if (row.state === 'queued') return row.unanswered === 0 ? null : { ...row, state: 'removing' };
  return row.state === 'rejected' ? discarded(row, id) : row;
};

export const discarded: RowChange = (row, id) => {
  if (row?.state !== 'rejected') return row ?? null;
  return row.unanswered === 0 ? null : toDelete(id);
};

export const afterDeletion: RowChange = (row) =>
  row?.state === 'deleting' || row?.state === 'removing' ? null : (row ?? null);
