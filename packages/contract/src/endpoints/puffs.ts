import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { UserStats } from './stats.ts';
import {
  NextCursor,
  Cursor,
  Day,
  Instant,
  Limit,
  optional,
  Product,
  text,
  Uuid,
  ZoneOfPuff,
} from '../values.ts';

export const Puff = z
  .object({
    id: z.string(),
    timestamp: Instant,
    timeZone: z.string(),
    timeZoneInferred: z.boolean().optional().meta({ description: 'The zone sent was unknown here.' }),
    day: Day,
    deviceId: z.string().nullable().meta({ description: 'As sent.' }),
    quantity: z.number().int().meta({ description: 'Units, 1..50.' }),
    product: Product,
    trigger: z.string().nullable().meta({ description: 'What led to the puff, as sent.' }),
    receivedAt: Instant,
    backdated: z.boolean().meta({ description: 'Received more than 48 h after it happened.' }),
    revision: z.number().int().meta({ description: 'The revision of the last change of this puff.' }),
  })
  .meta({ id: 'Puff', description: 'A recorded puff.' });
export type Puff = z.infer<typeof Puff>;

const SentTimestamp = Instant.meta({
  description: [
    "ISO 8601 instant with the phone's own offset. An offset other than Z or 00:00 that differs from the server's rule",
    'for the zone by at most 2 h determines the local day and hour; otherwise the rule of the zone does.',
    'A new puff without a timestamp is one of now.',
  ].join(' '),
  example: '2026-10-25T09:15:00+02:00',
});

export const PuffInput = z
  .object({
    id: optional(Uuid),
    timestamp: optional(SentTimestamp),
    timeZone: optional(ZoneOfPuff),
    deviceId: optional(text(1, 64)).meta({ description: 'An id that the app chooses for the device.' }),
    quantity: optional(z.number().int().min(1).max(50)).meta({ description: 'Units; 1 for a new puff.' }),
    product: optional(Product),
    trigger: optional(text(1, 40)).meta({ description: 'What led to the puff.' }),
  })
  .meta({ id: 'PuffInput' });
/** What a client sends. */
export type PuffInput = z.input<typeof PuffInput>;
/** The same as a handler gets it. */
export type ParsedPuffInput = z.output<typeof PuffInput>;

export const PuffEdit = z
  .object({
    timestamp: optional(SentTimestamp),
    quantity: optional(z.number().int().min(1).max(50)).meta({ description: 'Units; 1 for a new puff.' }),
    product: optional(Product),
    trigger: text(1, 40).nullish().meta({ description: 'null: no trigger any more.' }),
  })
  .meta({ id: 'PuffEdit', description: 'Absent = keep.' });
export type PuffEdit = z.infer<typeof PuffEdit>;

export const BatchPuffInput = PuffInput.extend({ id: Uuid, timestamp: SentTimestamp }).meta({
  id: 'BatchPuffInput',
});
export type BatchPuffInput = z.input<typeof BatchPuffInput>;

export const PuffAnswer = z
  .object({ status: z.enum(['created', 'duplicate']), puff: Puff.nullable(), stats: UserStats })
  .meta({ id: 'PuffAnswer' });
export type PuffAnswer = z.infer<typeof PuffAnswer>;

export const rejectionCodes = ['invalid', 'timestamp-in-future', 'too-old', 'day-full'] as const;

export const BatchResult = z
  .object({
    id: z
      .string()
      .nullable()
      .meta({ description: 'As sent, in lower case; null where there was none to read.' }),
    status: z.enum(['created', 'duplicate', 'rejected']),
    code: z.enum(rejectionCodes).optional().meta({ description: 'Why the item was rejected.' }),
    errors: z
      .array(
        z.object({
          path: z.string().meta({ description: 'The field, members joined by dots.' }),
          message: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'With `invalid`: each field and what is right.' }),
    serverTime: Instant.optional().meta({
      description: 'With a rejected timestamp: the time of the server.',
    }),
  })
  .meta({ id: 'BatchResult', description: 'The result of one item.' });
export type BatchResult = z.infer<typeof BatchResult>;

export const BatchAnswer = z
  .object({
    results: z.array(BatchResult).meta({ description: 'In the order of the request.' }),
    stats: UserStats,
  })
  .meta({ id: 'BatchAnswer' });
export type BatchAnswer = z.infer<typeof BatchAnswer>;

/** Items are checked one by one, so that a bad one never costs the others. */
const batchItems = (max: number) =>
  z
    .array(z.unknown())
    .min(1)
    .max(max)
    .meta({
      description: `1 to ${max.toLocaleString('en')} puffs.`,
      override: { items: { $ref: '#/components/schemas/BatchPuffInput' } },
    });

export const PuffBatch = z.object({ puffs: batchItems(1000) });

/** The socket's `puff` event with several. */
export const SocketPuffBatch = z.object({ puffs: batchItems(100) });

const puffWriteProblems = ['consent-required', 'overloaded', 'upgrade-required'] as const;

export const recordPuff = endpoint({
  method: 'POST',
  path: '/puffs',
  tag: 'puffs',
  hot: true,
  flush: 'never',
  auth: 'user',
  summary: 'Record one puff; the same id again is a duplicate and changes nothing',
  body: PuffInput,
  bodyOptional: true,
  responses: { 201: PuffAnswer, 200: PuffAnswer },
  problems: [...puffWriteProblems, 'timestamp-in-future', 'too-old', 'day-full'],
});

export const recordPuffBatch = endpoint({
  method: 'POST',
  path: '/puffs/batch',
  tag: 'puffs',
  hot: true,
  flush: 'never',
  auth: 'user',
  summary: 'Record up to 1,000 puffs; each has its own result',
  body: PuffBatch,
  bodyLimit: 512 * 1024,
  responses: { 200: BatchAnswer },
  problems: puffWriteProblems,
});

export const listPuffs = endpoint({
  method: 'GET',
  path: '/puffs',
  tag: 'puffs',
  auth: 'user',
  summary: 'Puffs, newest first',
  query: z.object({
    from: Instant.optional().meta({ description: 'Inclusive.' }),
    to: Instant.optional().meta({ description: 'Exclusive.' }),
    cursor: Cursor,
    limit: Limit,
  }),
  responses: { 200: z.object({ puffs: z.array(Puff), nextCursor: NextCursor }) },
  problems: ['invalid-cursor'],
});

const PuffId = z.object({ id: Uuid });

/** A puff that lives, with the counts that it is part of. */
export const ChangedPuff = z.object({ puff: Puff, stats: UserStats }).meta({ id: 'ChangedPuff' });
export type ChangedPuff = z.infer<typeof ChangedPuff>;

const StatsAnswer = z.object({ stats: UserStats });

export const editPuff = endpoint({
  method: 'PATCH',
  path: '/puffs/:id',
  tag: 'puffs',
  flush: 'never',
  auth: 'user',
  summary: 'Change a puff; the last to arrive wins',
  params: PuffId,
  body: PuffEdit,
  responses: { 200: ChangedPuff },
  problems: [
    ...puffWriteProblems,
    'not-found',
    'puff-deleted',
    'timestamp-in-future',
    'too-old',
    'day-full',
    'limit-reached',
  ],
});

export const deletePuff = endpoint({
  method: 'DELETE',
  path: '/puffs/:id',
  tag: 'puffs',
  flush: 'never',
  auth: 'user',
  summary: 'Delete a puff; it can be restored for 30 days. Again: the same answer',
  params: PuffId,
  responses: { 200: StatsAnswer },
  problems: ['not-found'],
});

export const restorePuff = endpoint({
  method: 'POST',
  path: '/puffs/:id/restore',
  tag: 'puffs',
  flush: 'never',
  auth: 'user',
  summary: 'Restore a deleted puff; a live puff is answered unchanged',
  params: PuffId,
  responses: { 200: ChangedPuff },
  problems: [...puffWriteProblems, 'not-found', 'puff-deleted', 'day-full', 'limit-reached'],
});

export const UndoInput = z.object({ id: optional(Uuid) });
export type UndoInput = z.input<typeof UndoInput>;

export const UndoAnswer = z
  .object({
    undonePuff: Puff.nullable().meta({
      description: 'The puff as it was; null where there was nothing to undo.',
    }),
    stats: UserStats,
  })
  .meta({ id: 'UndoAnswer', description: 'The undone puff and the statistics after it.' });
export type UndoAnswer = z.infer<typeof UndoAnswer>;

export const undoPuff = endpoint({
  method: 'POST',
  path: '/puffs/undo',
  tag: 'puffs',
  flush: 'never',
  auth: 'user',
  summary: 'Undo a puff received within 10 minutes; without an id the newest one that this session sent',
  body: UndoInput,
  bodyOptional: true,
  responses: { 200: UndoAnswer },
  problems: ['undo-too-late'],
});

export const deleteAllPuffs = endpoint({
  method: 'DELETE',
  path: '/puffs',
  tag: 'puffs',
  flush: 'never',
  auth: 'user',
  summary: 'Delete every puff, for good',
  responses: {
    200: z.object({
      deleted: z.number().int().meta({ description: 'The number of puffs deleted.' }),
      stats: UserStats,
    }),
  },
  problems: [],
});
