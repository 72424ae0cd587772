import type { EndpointName } from '@pufftrack/contract';
import { puff, puffId, stats } from './examples.ts';
import type { OperationTexts } from './operation-text.ts';

export const puffOperations = {
  recordPuff: {
    description:
      'A 2xx means that the puff is on disk on a majority of the database members. Without a timestamp the puff happens now. A timestamp up to 5 minutes ahead is clipped to now; beyond that it is 422 `timestamp-in-future` with `serverTime`; older than 10 years is `too-old`. More than 5,000 units on one local day are `day-full`. An id stays used while the account exists: sent again, also after a deletion, it is a duplicate and changes nothing, so a retry is always safe. Friends with whom the account shares `live` receive `friendPuff` if the puff happened at most 10 minutes before its receipt; the devices of the account receive `statsUpdate`, the other ones also `puffRecorded`.',
    request: { id: puffId, timestamp: '2026-10-21T12:15:00+02:00', timeZone: 'Europe/Berlin' },
    answers: {
      201: 'The puff is recorded.',
      200: 'The id was used before; nothing has changed. `puff` is null if that puff is deleted.',
    },
    response: {
      201: { status: 'created', puff, stats },
      200: { status: 'duplicate', puff, stats },
    },
  },
  recordPuffBatch: {
    description:
      'Records 1 to 1,000 puffs by the rules of `POST /puffs`; `id` and `timestamp` are required. Results are in the order of the request, and a rejected item never affects the others. `rejected` is final for this content; repeat `created` and `duplicate` items freely. The audience receives one `friendPuff`, the devices of the account one `statsUpdate`.',
    request: {
      puffs: [{ id: puffId, timestamp: '2026-10-21T12:15:00+02:00', timeZone: 'Europe/Berlin' }],
    },
    answers: { 200: 'One result for each item.' },
    response: { 200: { results: [{ id: puffId, status: 'created' }], stats } },
  },
  listPuffs: {
    description: 'Live puffs between two instants. Deleted puffs are not listed.',
    answers: { 200: 'A page of puffs, newest first; `nextCursor` is null on the last page.' },
    response: { 200: { puffs: [puff], nextCursor: null } },
  },
  listPuffChanges: {
    description:
      'Keep `revision` and send it as the next `since` until `hasMore` is false. Each puff appears once, at its latest revision; a page may be empty while `hasMore` is true. `clearedRevision`: every puff with a lower revision is deleted. The log is kept whole, so every older `since` works. A revision above the newest one is 410 `resync-required`: discard the local copy and read from 0.',
    answers: { 200: 'The changes after `since`, oldest first.' },
    response: {
      200: { changes: [{ puff }, { deletedId: puffId, revision: 813 }], revision: 813, hasMore: false },
    },
  },
  undoPuff: {
    description:
      'With an id the call is idempotent: an unknown or deleted puff, or one of another account, is 200 with `undonePuff: null`; a puff received more than 10 minutes ago is 409 `undo-too-late`. Without an id it undoes the newest live puff that this session sent within 10 minutes. Friends who received the puff receive `friendPuffRetracted`.',
    request: { id: puffId },
    answers: { 200: 'The puff that was undone, or null.' },
    response: { 200: { undonePuff: puff, stats } },
  },
  deleteAllPuffs: {
    description:
      'One write and one `clearedRevision` change. There is no restore; ids that were used stay used. Friends who received a puff within the last 24 h receive `friendPuffRetracted`; the devices of the account receive `statsUpdate`.',
    answers: { 200: 'All puffs are deleted.' },
    response: {
      200: {
        deleted: 2980,
        stats: {
          ...stats,
          revision: 814,
          dailyPuffCount: 0,
          weeklyPuffCount: 0,
          monthlyPuffCount: 0,
          totalPuffCount: 0,
          lastPuffAt: null,
        },
      },
    },
  },
  editPuff: {
    description:
      'An absent member keeps its value. The last edit to arrive wins. A deleted puff is 410 `puff-deleted`. The rules for timestamps and full days are those of `POST /puffs`; the edits of one puff are bounded (`limit-reached`).',
    request: { quantity: 2, trigger: null },
    answers: { 200: 'The puff after the edit.' },
    response: { 200: { puff: { ...puff, quantity: 2, trigger: null, revision: 813 }, stats } },
  },
  deletePuff: {
    description:
      'Idempotent. The puff can be restored for 30 days; after that its content is deleted for good. Friends who received it within the last 24 h receive `friendPuffRetracted`.',
    answers: { 200: 'The puff is deleted, or was deleted before.' },
    response: { 200: { stats } },
  },
  restorePuff: {
    description:
      'Restores a deleted puff within 30 days; a live puff is answered unchanged. More than 30 days after its deletion, or after all puffs were deleted, it is 410 `puff-deleted`. A restore that exceeds 5,000 units on its local day is `day-full`.',
    answers: { 200: 'The live puff.' },
    response: { 200: { puff: { ...puff, revision: 813 }, stats } },
  },
} satisfies Partial<OperationTexts<EndpointName>>;
