import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { UserStats } from './stats.ts';
import { Cursor, Day, Instant, Limit, Product, text, Uuid, ZoneName } from './values.ts';

export const Puff = z
  .object({
    id: z.string(),
    timestamp: Instant,
    timeZone: z.string(),
    timeZoneInferred: z.boolean().optional().meta({ description: 'The zone sent was unknown here.' }),
    day: Day,
    deviceId: z.string().nullable(),
    quantity: z.number().int(),
    product: Product,
    trigger: z.string().nullable(),
    receivedAt: Instant,
    backdated: z.boolean().meta({ description: 'Received more than 48 h after it happened.' }),
    revision: z.number().int(),
  })
  .meta({ id: 'Puff' });
export type Puff = z.infer<typeof Puff>;

export const PuffInput = z
  .object({
    id: Uuid.optional(),
    timestamp: Instant.optional().meta({ description: 'No timestamp: now.' }),
    timeZone: ZoneName.optional(),
    deviceId: text(1, 64).nullish(),
    quantity: z.number().int().min(1).max(50).optional(),
    product: Product.optional(),
    trigger: text(1, 40).nullish(),
  })
  .meta({ id: 'PuffInput' });
export type PuffInput = z.infer<typeof PuffInput>;

export const BatchPuffInput = PuffInput.extend({ id: Uuid, timestamp: Instant }).meta({
  id: 'BatchPuffInput',
});
export type BatchPuffInput = z.infer<typeof BatchPuffInput>;

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
    code: z.enum(rejectionCodes).optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    serverTime: Instant.optional(),
  })
  .meta({ id: 'BatchResult' });
export type BatchResult = z.infer<typeof BatchResult>;

export const BatchAnswer = z
  .object({ results: z.array(BatchResult), stats: UserStats })
  .meta({ id: 'BatchAnswer' });
export type BatchAnswer = z.infer<typeof BatchAnswer>;

/** Items are checked one by one, so that a bad one never costs the others. */
const batchItems = (max: number) =>
  z
    .array(z.unknown())
    .min(1)
    .max(max)
    .meta({ override: { items: { $ref: '#/components/schemas/BatchPuffInput' } } });

export const PuffBatch = z.object({ puffs: batchItems(1000) });

/** The socket's `puff` event with several. */
export const SocketPuffBatch = z.object({ puffs: batchItems(100) });

const puffWriteProblems = ['consent-required', 'overloaded', 'upgrade-required'] as const;

export const recordPuff = endpoint({
  method: 'POST',
  path: '/puffs',
  tag: 'puffs',
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
  responses: { 200: z.object({ puffs: z.array(Puff), nextCursor: z.string().nullable() }) },
  problems: ['invalid-cursor'],
});
