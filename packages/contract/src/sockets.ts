import { z } from 'zod';
import type { RateClass } from './endpoint.ts';
import { Friend } from './friends.ts';
import { Notification } from './notifications.ts';
import type { Problem } from './problem.ts';
import {
  Puff,
  PuffInput,
  SocketPuffBatch,
  UndoInput,
  type BatchAnswer,
  type PuffAnswer,
  type UndoAnswer,
} from './puffs.ts';
import { UserStats } from './stats.ts';

const Persistent = z.object({ seq: z.number().int(), notification: Notification }).meta({
  id: 'PersistentEvent',
  description: 'Stored and numbered; sent again after a `lastSeq` below it.',
});

/** Payloads of the events that the server sends. */
export const serverEvents = {
  ready: z.object({ userId: z.string(), seq: z.number().int(), stats: UserStats, friends: z.array(Friend) }),
  friendPuff: z.object({
    friendId: z.string(),
    friendName: z.string().nullable(),
    count: z.number().int(),
    todayCount: z.number().int(),
    dailyLimit: z.number().int().nullable(),
  }),
  friendPuffRetracted: z.object({
    friendId: z.string(),
    count: z.number().int(),
    todayCount: z.number().int(),
  }),
  statsUpdate: z.object({ stats: UserStats }),
  puffRecorded: z.object({ puff: Puff }),
  puffDeleted: z.object({ id: z.string(), revision: z.number().int() }),
  friendRequest: Persistent,
  friendAccepted: Persistent,
  notification: Persistent,
  resyncRequired: z.object({ seq: z.number().int() }),
  friendRemoved: z.object({ friendId: z.string() }),
  friendUpdated: z.object({ friend: Friend }),
  tokenExpiring: z.object({ expiresInSeconds: z.number().int() }),
  sessionEnded: z.object({ reason: z.enum(['logout', 'refresh-reused', 'expired', 'account-gone']) }),
  serverDraining: z.object({ reconnectAfterMs: z.number().int() }),
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
  puff: z.union([SocketPuffBatch, PuffInput]),
  undo: UndoInput,
  /** A fresh token of the same session, before the one that the socket has runs out. */
  authenticate: z.object({ token: z.string().min(1).max(8192) }),
} as const;

/** Seconds that the new token is good for. */
export const AuthenticateAnswer = z.object({ expiresIn: z.number().int() });
export type AuthenticateAnswer = z.infer<typeof AuthenticateAnswer>;

export interface ClientToServerEvents {
  puff: (payload: unknown, ack: Ack<PuffAnswer | BatchAnswer>) => void;
  undo: (payload: unknown, ack: Ack<UndoAnswer>) => void;
  authenticate: (payload: unknown, ack: Ack<AuthenticateAnswer>) => void;
}

/** The limit that counts an event: that of its REST twin, or one of its own; unknown events count too. */
export const rateClassOfEvent = (event: string): RateClass =>
  event === 'puff' || event === 'undo' ? 'puffs' : 'socket';
