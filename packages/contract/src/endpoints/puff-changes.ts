import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Limit } from '../values.ts';
import { Puff } from './puffs.ts';

const Revision = z.number().int().meta({ description: 'The revision of the change.' });

export const PuffChange = z
  .union([
    z.object({ puff: Puff }),
    z.object({ deletedId: z.string().meta({ description: 'This puff is deleted.' }), revision: Revision }),
    z.object({
      clearedRevision: z.number().int().meta({ description: 'Every puff with a lower revision is deleted.' }),
      revision: Revision,
    }),
  ])
  .meta({ id: 'PuffChange', description: 'A puff as it is now, a deleted puff, or a deletion of all.' });
export type PuffChange = z.infer<typeof PuffChange>;

export const listPuffChanges = endpoint({
  method: 'GET',
  path: '/puffs/changes',
  tag: 'puffs',
  auth: 'user',
  summary: 'Changes after a revision, oldest first; each puff once, at its latest revision',
  query: z.object({
    since: z
      .string()
      .regex(/^[0-9]{1,15}$/, { error: 'must be a revision: a whole number, 0 for everything' })
      .transform(Number)
      .meta({ description: '0: from the beginning.' }),
    limit: Limit,
  }),
  responses: {
    200: z.object({
      changes: z.array(PuffChange).meta({ description: 'By revision, ascending.' }),
      revision: z.number().int().meta({ description: 'The last number examined: the next `since`.' }),
      hasMore: z.boolean().meta({ description: 'True: read on from `revision`.' }),
    }),
  },
  problems: ['resync-required'],
});
