import { z } from 'zod';
import type { RateClass } from './endpoint.ts';
import { Friend } from './endpoints/friends.ts';
import { Notification } from './endpoints/notifications.ts';
import type { Problem } from './problem.ts';
import {
  BatchAnswer,
  Puff,
  PuffAnswer,
  PuffInput,
  SocketPuffBatch,
  UndoAnswer,
  UndoInput,
} from './endpoints/puffs.ts';
import { UserStats } from './endpoints/stats.ts';

const NewestSeq = z.number().int().meta({ description: 'The newest number of the inbox.' });
const TodayCount = z
  .number()
  .int()
  .meta({ description: 'Units of the local day of the friend, after the event.' });

const Persistent = z
  .object({
    seq: z.number().int().meta({ description: 'The number in the inbox: the next `lastSeq`.' }),
    notification: Notification,
  })
  .meta({
    id: 'PersistentEvent',
    description: 'Stored and numbered; sent again after a `lastSeq` below it.',
  });

const described = <T extends z.ZodType>(description: string, payload: T): T => payload.meta({ description });

/** Payloads of the events that the server sends. */
export const serverEvents = {
  ready: described(
    'The first event of each connection: brings a client that was offline up to date.',
    z.object({ userId: z.string(), seq: NewestSeq, stats: UserStats, friends: z.array(Friend) }),
  ),
  friendPuff: described(
    'Sent to friends with whom the account shares `live`, unless muted or in ghost mode. `count` is the quantity of the new puffs that happened at most 10 minutes before receipt; without such puffs there is no event. One event for each puff or batch; never stored or replayed.',
    z.object({
      friendId: z.string(),
      friendName: z.string().nullable(),
      count: z.number().int().meta({ description: 'Units of the new puffs.' }),
      todayCount: TodayCount,
      dailyLimit: z
        .number()
        .int()
        .nullable()
        .meta({ description: 'The limit of the friend today; null: none.' }),
    }),
  ),
  friendPuffRetracted: described(
    'Sent to friends with whom the account has shared `live` since the `friendPuff`, when its puff is undone, or deleted within 24 h of its receipt.',
    z.object({
      friendId: z.string(),
      count: z.number().int().meta({ description: 'Units that are retracted.' }),
      todayCount: TodayCount,
    }),
  ),
  statsUpdate: described(
    'Sent to every device of the account after each change of its statistics and at the rollover of its local day.',
    z.object({ stats: UserStats }),
  ),
  puffRecorded: described(
    'Sent to the other devices of the account when a device has recorded or changed one puff; after a batch they receive `statsUpdate` and read `GET /puffs/changes`.',
    z.object({ puff: Puff }),
  ),
  puffDeleted: described(
    'Sent to the other devices of the account when a device has deleted a puff.',
    z.object({
      id: z.string(),
      revision: z.number().int().meta({ description: 'The revision of the deletion.' }),
    }),
  ),
  friendRequest: Persistent,
  friendAccepted: Persistent,
  notification: Persistent,
  resyncRequired: described(
    'The `lastSeq` of the handshake is none of the past 7 days: read `GET /notifications` and continue from `seq`.',
    z.object({ seq: NewestSeq }),
  ),
  friendRemoved: described(
    'A friendship has ended by a removal, a block or the deletion of an account. Sent to all devices of the other side and to the other devices of the account.',
    z.object({ friendId: z.string() }),
  ),
  friendUpdated: described(
    'A friend is new, or the share level, ghost mode, consent `friends-sharing` or the visibility of the name of a friend has changed. Also sent to the other devices of an account after it changed its share level for a friend, or muted the friend. Never because of a puff.',
    z.object({ friend: Friend }),
  ),
  tokenExpiring: described(
    'The access token of this connection expires soon: send `authenticate`.',
    z.object({ expiresInSeconds: z.number().int().meta({ description: 'Until the connection closes.' }) }),
  ),
  sessionEnded: described(
    'The session has ended; the connection closes after this event.',
    z.object({
      reason: z.enum(['logout', 'refresh-reused', 'expired', 'account-gone']).meta({
        description:
          '`logout`: by the user or a later sign-in; `refresh-reused`: for security; `expired`: the access token of the connection has expired; `account-gone`: delete the local data.',
      }),
    }),
  ),
  serverDraining: described(
    'The process is stopping: reconnect after `reconnectAfterMs`.',
    z.object({ reconnectAfterMs: z.number().int().meta({ description: 'Milliseconds.' }) }),
  ),
} as const;

/** Stored and replayed: a client receives what it missed after the `lastSeq` of its handshake. */
export const persistentEvents = ['friendRequest', 'friendAccepted', 'notification'] as const;
export type PersistentEventName = (typeof persistentEvents)[number];

export type ServerEventName = keyof typeof serverEvents;
export type ServerEvent<Name extends ServerEventName> = z.infer<(typeof serverEvents)[Name]>;

export type ServerToClientEvents = {
  [Name in ServerEventName]: (payload: ServerEvent<Name>) => void;
};

/** The ack of a client event: the answer of the same REST call, or the problem. */
export type Ack<T> = (answer: T | { error: Problem }) => void;

/** Payloads of the events that a client sends. */
export const clientEvents = {
  puff: described('One puff, or up to 100 of them.', z.union([SocketPuffBatch, PuffInput])),
  undo: described('Undoes a puff; the same rules as `POST /puffs/undo`.', UndoInput),
  authenticate: described(
    'A fresh access token of the same session, sent before the current one expires.',
    z.object({ token: z.string().min(1).max(8192).meta({ description: 'The access token.' }) }),
  ),
} as const;

/** Seconds that the new token is good for. */
export const AuthenticateAnswer = z.object({ expiresIn: z.number().int().meta({ description: 'Seconds.' }) });
export type AuthenticateAnswer = z.infer<typeof AuthenticateAnswer>;

/** What the acks of those are where they are no problem. */
export const clientEventAnswers = {
  puff: z.union([PuffAnswer, BatchAnswer]),
  undo: UndoAnswer,
  authenticate: AuthenticateAnswer,
} as const satisfies Record<keyof typeof clientEvents, z.ZodType>;

export interface ClientToServerEvents {
  puff: (payload: unknown, ack: Ack<PuffAnswer | BatchAnswer>) => void;
  undo: (payload: unknown, ack: Ack<UndoAnswer>) => void;
  authenticate: (payload: unknown, ack: Ack<AuthenticateAnswer>) => void;
}

/** The limit that counts an event: that of its REST twin, or one of its own; unknown events count too. */
export const rateClassOfEvent = (event: string): RateClass =>
  event === 'puff' || event === 'undo' ? 'puffs' : 'socket';
