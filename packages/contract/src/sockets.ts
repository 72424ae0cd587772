import { z } from 'zod';
import type { RateClass } from './endpoint.ts';
import { Friend } from './friends.ts';
import { Notification } from './notifications.ts';
import type { Problem } from './problem.ts';
import { BatchAnswer, Puff, PuffAnswer, PuffInput, SocketPuffBatch, UndoAnswer, UndoInput } from './puffs.ts';
import { UserStats } from './stats.ts';

const Persistent = z.object({ seq: z.number().int(), notification: Notification }).meta({
  id: 'PersistentEvent',
  description: 'Stored and numbered; sent again after a `lastSeq` below it.',
});

const told = <T extends z.ZodType>(description: string, payload: T): T => payload.meta({ description });

/** Payloads of the events that the server sends. */
export const serverEvents = {
  ready: told(
    'First of all, with each connection: what a client that was away needs to be right again.',
    z.object({ userId: z.string(), seq: z.number().int(), stats: UserStats, friends: z.array(Friend) }),
  ),
  friendPuff: told(
    'A friend who shares `live` has recorded something; one event for each puff or batch, never stored.',
    z.object({
      friendId: z.string(),
      friendName: z.string().nullable(),
      count: z.number().int(),
      todayCount: z.number().int(),
      dailyLimit: z.number().int().nullable(),
    }),
  ),
  friendPuffRetracted: told(
    'What an event has shown was undone or deleted.',
    z.object({ friendId: z.string(), count: z.number().int(), todayCount: z.number().int() }),
  ),
  statsUpdate: told('One’s own numbers have changed, or the day has turned.', z.object({ stats: UserStats })),
  puffRecorded: told(
    'Another device of the person has recorded or changed a puff.',
    z.object({ puff: Puff }),
  ),
  puffDeleted: told(
    'Another device of the person has deleted a puff.',
    z.object({ id: z.string(), revision: z.number().int() }),
  ),
  friendRequest: Persistent,
  friendAccepted: Persistent,
  notification: Persistent,
  resyncRequired: told(
    'The `lastSeq` of the handshake is none of the past 7 days: read `GET /notifications`, go on from `seq`.',
    z.object({ seq: z.number().int() }),
  ),
  friendRemoved: told(
    'A friendship has ended; also by another device of the person.',
    z.object({ friendId: z.string() }),
  ),
  friendUpdated: told(
    'A friend is new, or what stands between the two has changed, also by another device of the person; never because of a puff.',
    z.object({ friend: Friend }),
  ),
  tokenExpiring: told(
    'The access token of this connection runs out soon: send `authenticate`.',
    z.object({ expiresInSeconds: z.number().int() }),
  ),
  sessionEnded: told(
    'The connection closes after this.',
    z.object({ reason: z.enum(['logout', 'refresh-reused', 'expired', 'account-gone']) }),
  ),
  serverDraining: told('Connect again after so long.', z.object({ reconnectAfterMs: z.number().int() })),
} as const;

/** Of these nothing is lost: what a client has not had comes again by the `lastSeq` of its handshake. */
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
  puff: told('One puff, or up to 100 of them.', z.union([SocketPuffBatch, PuffInput])),
  undo: UndoInput,
  authenticate: told(
    'A fresh token of the same session, before the one that the socket has runs out.',
    z.object({ token: z.string().min(1).max(8192) }),
  ),
} as const;

/** Seconds that the new token is good for. */
export const AuthenticateAnswer = z.object({ expiresIn: z.number().int() });
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
