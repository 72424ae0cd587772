import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Day, Id, Instant } from '../values.ts';

export const milestoneKinds = ['abstinence', 'under-limit'] as const;
export const MilestoneKind = z.enum(milestoneKinds).meta({
  id: 'MilestoneKind',
  description:
    '`abstinence`: days without a puff in a row; `under-limit`: days within the daily limit in a row.',
});
export type MilestoneKind = z.infer<typeof MilestoneKind>;

export const cheerKinds = ['clap', 'heart', 'star', 'strong', 'party', 'thumbs-up'] as const;
export const CheerKind = z
  .enum(cheerKinds)
  .meta({ id: 'CheerKind', description: 'A reaction to a milestone of a friend.' });
export type CheerKind = z.infer<typeof CheerKind>;

export const Milestone = z
  .object({
    id: z.string(),
    kind: MilestoneKind,
    days: z.number().int().meta({ description: 'The length of the run.' }),
    version: z.number().int().meta({ description: 'Version of the rule that awarded it.' }),
    awardedAt: Instant,
    evidence: z
      .object({ from: Day, to: Day })
      .meta({ description: 'The local days of the run, both included.' }),
    cheers: z
      .array(
        z.object({
          kind: CheerKind,
          count: z.number().int().meta({ description: 'Friends who sent this kind.' }),
        }),
      )
      .meta({ description: 'The kinds that friends have sent.' }),
  })
  .meta({ id: 'Milestone', description: 'A milestone of the caller.' });
export type Milestone = z.infer<typeof Milestone>;

export const FriendMilestone = z
  .object({
    id: z.string(),
    friend: z
      .object({ userId: z.string(), name: z.string().nullable() })
      .meta({ description: 'Whose milestone it is.' }),
    kind: MilestoneKind,
    days: z.number().int().meta({ description: 'The length of the run.' }),
    reachedOn: Day.meta({ description: 'The last of its days, as their calendar had it.' }),
    myCheers: z.array(CheerKind).meta({ description: 'The cheers of the caller.' }),
  })
  .meta({
    id: 'FriendMilestone',
    description: 'What friends who share milestones or more have reached on confirmed days.',
  });
export type FriendMilestone = z.infer<typeof FriendMilestone>;

export const listMilestones = endpoint({
  method: 'GET',
  path: '/milestones',
  tag: 'coaching',
  auth: 'user',
  summary: 'Milestones of the caller, and of friends in the last 30 days; the newest of each kind and length',
  responses: { 200: z.object({ mine: z.array(Milestone), friends: z.array(FriendMilestone) }) },
  problems: [],
});

export const cheerMilestone = endpoint({
  method: 'PUT',
  path: '/milestones/:id/cheer',
  tag: 'coaching',
  auth: 'user',
  summary: 'Cheer a milestone of a friend; each kind once, and 30 in 24 hours',
  params: z.object({ id: Id }),
  body: z.object({ kind: CheerKind }),
  responses: { 204: null },
  problems: ['consent-required', 'not-found', 'rate-limited'],
});

export const removeCheer = endpoint({
  method: 'DELETE',
  path: '/milestones/:id/cheer',
  tag: 'coaching',
  auth: 'user',
  summary: 'Remove the cheers of the caller for a milestone, or those of one kind',
  params: z.object({ id: Id }),
  query: z.object({ kind: CheerKind.optional() }),
  responses: { 204: null },
  problems: ['not-found'],
});
