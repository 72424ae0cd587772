import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { tolerantText } from '../text.ts';
import { Day, Id, Instant, optional, ShareLevel } from '../values.ts';

export const FriendSummary = z
  .object({
    todayCount: z.number().int().meta({ description: 'On their own local day.' }),
    dailyLimit: z.number().int().nullable().meta({ description: 'The limit in force today; null: none.' }),
    average7: z.number().nullable().meta({ description: 'As in `UserStats`.' }),
    changeVsPreviousWeek: z.number().nullable().meta({ description: 'As in `UserStats`.' }),
    streakDays: z.number().int().meta({ description: 'Days without a puff in a row.' }),
    underLimitDays: z.number().int().meta({ description: 'Days within the daily limit in a row.' }),
  })
  .meta({ id: 'FriendSummary', description: 'Confirmed days only.' });
export type FriendSummary = z.infer<typeof FriendSummary>;

export const Friend = z
  .object({
    userId: z.string(),
    name: z.string().nullable(),
    since: Instant,
    shareLevel: ShareLevel.meta({ description: 'What the caller shares with the friend.' }),
    theirShareLevel: ShareLevel.meta({ description: 'What the friend shares with the caller.' }),
    muted: z.boolean().meta({ description: 'The caller receives no `friendPuff` of the friend.' }),
    summary: FriendSummary.nullable().meta({ description: 'Null where their level does not allow it.' }),
    resting: z.literal(true).optional().meta({
      description: 'Present in ghost mode of the friend: the summary is the one of its beginning.',
    }),
  })
  .meta({ id: 'Friend', description: 'A friend as the caller may see them.' });
export type Friend = z.infer<typeof Friend>;

export const requestFriend = endpoint({
  method: 'POST',
  path: '/friends/request',
  tag: 'friends',
  auth: 'user',
  summary: 'Send a friend request by code; the answer is always the same',
  addressRate: 'guess',
  body: z.object({
    friendCode: tolerantText(4, 32).meta({
      description: 'The code of the recipient, in either case, with or without separators.',
    }),
    shareLevel: optional(ShareLevel),
  }),
  responses: { 202: z.object({ status: z.literal('sent') }) },
  problems: ['consent-required', 'rate-limited'],
});

export const listFriendRequests = endpoint({
  method: 'GET',
  path: '/friends/requests',
  tag: 'friends',
  auth: 'user',
  summary: 'Open requests, received and sent',
  responses: {
    200: z.object({
      received: z.array(
        z.object({
          id: z.string(),
          from: z.object({ userId: z.string(), name: z.string().nullable() }),
          createdAt: Instant,
        }),
      ),
      sent: z.array(
        z.object({
          id: z.string(),
          friendCode: z.string().meta({ description: 'As typed.' }),
          createdAt: Instant,
          expiresAt: Instant,
        }),
      ),
    }),
  },
  problems: [],
});

export const cancelFriendRequest = endpoint({
  method: 'DELETE',
  path: '/friends/requests/:id',
  tag: 'friends',
  auth: 'user',
  summary: 'Cancel a sent friend request, without an event',
  params: z.object({ id: Id }),
  responses: { 204: null },
  problems: ['not-found'],
});

export const FriendAnswer = z.object({ friend: Friend });

export const acceptFriend = endpoint({
  method: 'PUT',
  path: '/friends/accept',
  tag: 'friends',
  auth: 'user',
  summary: 'Accept a friend request; only its recipient may',
  body: z.object({ requestId: Id, shareLevel: optional(ShareLevel) }),
  responses: { 200: FriendAnswer },
  problems: ['conflict', 'consent-required', 'not-found'],
});

export const rejectFriend = endpoint({
  method: 'PUT',
  path: '/friends/reject',
  tag: 'friends',
  auth: 'user',
  summary: 'Reject a friend request, without an event; only its recipient may',
  body: z.object({ requestId: Id }),
  responses: { 204: null },
  problems: ['not-found'],
});

export const listFriends = endpoint({
  method: 'GET',
  path: '/friends',
  tag: 'friends',
  auth: 'user',
  summary: 'Friends with what they share',
  responses: { 200: z.object({ friends: z.array(Friend) }) },
  problems: [],
});

export const patchFriend = endpoint({
  method: 'PATCH',
  path: '/friends/:userId',
  tag: 'friends',
  auth: 'user',
  summary: 'Change the share level for a friend, or mute the friend',
  params: z.object({ userId: Id }),
  body: z.object({
    shareLevel: optional(ShareLevel),
    muted: optional(z.boolean()).meta({
      description: 'True: the caller receives no `friendPuff` of the friend.',
    }),
  }),
  responses: { 200: FriendAnswer },
  problems: ['not-found'],
});

export const removeFriend = endpoint({
  method: 'DELETE',
  path: '/friends/:userId',
  tag: 'friends',
  auth: 'user',
  summary: 'End a friendship',
  params: z.object({ userId: Id }),
  responses: { 204: null },
  problems: ['not-found'],
});

export const Board = z
  .enum(['reduction', 'underLimitDays', 'puffFreeDays'])
  .meta({ description: 'What ranks: the reduction against the baseline, or days in a row.' });
export type Board = z.infer<typeof Board>;

export const LeaderboardEntry = z.object({
  rank: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'From 1; equal values share a rank; null without a value.' }),
  userId: z.string(),
  name: z.string().nullable(),
  value: z.number().nullable().meta({ description: 'What the board ranks by.' }),
  reason: z
    .enum(['not-enough-data', 'no-baseline', 'new-account'])
    .optional()
    .meta({ description: 'Why there is no value.' }),
});
export type LeaderboardEntry = z.infer<typeof LeaderboardEntry>;

export const Leaderboard = z
  .object({
    board: Board,
    period: z
      .object({ from: Day, to: Day })
      .meta({ description: 'The last seven complete local days of the caller, both included.' }),
    entries: z.array(LeaderboardEntry).meta({ description: 'By rank; entries without a rank are last.' }),
    me: LeaderboardEntry.meta({ description: 'The entry of the caller.' }),
  })
  .meta({ id: 'Leaderboard', description: 'One board of the caller and friends.' });
export type Leaderboard = z.infer<typeof Leaderboard>;

export const getLeaderboard = endpoint({
  method: 'GET',
  path: '/friends/leaderboard',
  tag: 'analytics',
  auth: 'user',
  summary: 'Friends by progress over their last seven complete days; using more never helps',
  query: z.object({ board: Board.default('reduction') }),
  responses: { 200: Leaderboard },
  problems: [],
});
