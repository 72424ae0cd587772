import { createHash } from 'node:crypto';
import { DomainError } from '../../../platform/edge/errors.ts';

/** Ties a cursor to one inbox. */
const markOf = (userId: string): string =>
  createHash('sha256').update(`inbox:${userId}`).digest('base64url').slice(0, 8);

/** A position in an inbox: the next page begins below this number. */
export const writeInboxCursor = (userId: string, seq: number): string =>
  Buffer.from(`${seq}.${markOf(userId)}`).toString('base64url');

/** Throws `invalid-cursor` for anything else than a cursor of this inbox. */
export const readInboxCursor = (userId: string, cursor: string): number => {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, seq, mark] = /^(\d{1,15})\.([\w-]{8})$/.exec(text) ?? [];
  const isOwn = mark === markOf(userId) && Buffer.from(text, 'latin1').toString('base64url') === cursor;
  if (seq === undefined || !isOwn)
    throw new DomainError('invalid-cursor', {
      detail: 'The cursor is not one that this call has returned.',
    });
  return Number(seq);
};
