import type { clientEvents, ServerEvent, ServerEventName } from '@pufftrack/contract';
import type { z } from 'zod';
import { friend, friendId, jwt, objectId, puff, puffId, stats, userId } from './operations/examples.ts';

const persistent = {
  seq: 41,
  notification: {
    id: objectId,
    seq: 41,
    category: 'friend-request',
    title: 'New friend request',
    body: 'Bob wants to be your friend.',
    data: { requestId: objectId },
    createdAt: '2026-10-21T09:00:00.000Z',
    readAt: null,
  },
} as const;

/** One payload of each event, which the test suite validates. */
export const serverEventExamples: { [Name in ServerEventName]: ServerEvent<Name> } = {
  ready: { userId, seq: 41, stats, friends: [friend] },
  friendPuff: { friendId, friendName: 'Bob', count: 1, todayCount: 3, dailyLimit: 10 },
  friendPuffRetracted: { friendId, count: 1, todayCount: 2 },
  statsUpdate: { stats },
  puffRecorded: { puff },
  puffDeleted: { id: puffId, revision: 813 },
  friendRequest: persistent,
  friendAccepted: persistent,
  notification: persistent,
  resyncRequired: { seq: 41 },
  friendRemoved: { friendId },
  friendUpdated: { friend },
  tokenExpiring: { expiresInSeconds: 60 },
  sessionEnded: { reason: 'logout' },
  serverDraining: { reconnectAfterMs: 1500 },
};

export const clientEventExamples: {
  [Name in keyof typeof clientEvents]: z.input<(typeof clientEvents)[Name]>;
} = {
  puff: { id: puffId, timestamp: '2026-10-21T12:15:00+02:00', timeZone: 'Europe/Berlin' },
  undo: { id: puffId },
  authenticate: { token: jwt },
};
