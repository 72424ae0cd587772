import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { tolerantText } from '../text.ts';
import { Id, Instant, optional } from '../values.ts';

export const blockPerson = endpoint({
  method: 'POST',
  path: '/friends/blocks',
  tag: 'friends',
  auth: 'user',
  summary: 'Block an account: ends the friendship and hides each from the other',
  body: z.object({ userId: Id }),
  responses: { 204: null },
  problems: ['conflict', 'not-found'],
});

export const listBlocks = endpoint({
  method: 'GET',
  path: '/friends/blocks',
  tag: 'friends',
  auth: 'user',
  summary: 'Accounts that the caller has blocked',
  responses: {
    200: z.object({
      blocks: z.array(
        z.object({
          userId: z.string(),
          name: z.string().nullable(),
          since: Instant.meta({ description: 'The instant of the block.' }),
        }),
      ),
    }),
  },
  problems: [],
});

export const unblockPerson = endpoint({
  method: 'DELETE',
  path: '/friends/blocks/:userId',
  tag: 'friends',
  auth: 'user',
  summary: 'Lift a block; an ended friendship stays ended',
  params: z.object({ userId: Id }),
  responses: { 204: null },
  problems: ['not-found'],
});

export const ReportReason = z
  .enum(['spam', 'harassment', 'name', 'other'])
  .meta({ description: 'What the report is about.' });
export type ReportReason = z.infer<typeof ReportReason>;

export const reportPerson = endpoint({
  method: 'POST',
  path: '/friends/reports',
  tag: 'friends',
  auth: 'user',
  summary: 'Report an account; the answer is always the same',
  body: z.object({
    userId: Id,
    reason: ReportReason,
    note: optional(tolerantText(0, 500)).meta({ description: 'For the operator.' }),
  }),
  responses: { 202: z.object({ status: z.literal('received') }) },
  problems: ['rate-limited'],
});
