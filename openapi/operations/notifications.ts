import type { EndpointName } from '@pufftrack/contract';
import { friendId, objectId } from './examples.ts';
import type { OperationTexts } from './operation-text.ts';

const preferences = {
  categories: {
    'friend-request': 'push',
    'friend-accepted': 'push',
    milestone: 'push',
    cheer: 'in-app',
    plan: 'in-app',
    weekly: 'off',
    security: 'push',
  },
  quietHours: { from: '22:30', to: '07:00' },
  discreet: true,
  muteAll: false,
} as const;
const zoneRules = { version: '2026f', publishedOn: '2026-09-30' };

export const notificationOperations = {
  getNotificationPreferences: {
    description: 'Preferences that were never set have their defaults.',
    answers: { 200: 'The preferences.' },
    response: { 200: preferences },
  },
  putNotificationPreferences: {
    description:
      'A member that is absent keeps its value. `security` cannot be `off`. Pushes wait until quiet hours are over; the inbox does not wait.',
    request: { categories: { weekly: 'off' }, quietHours: { from: '22:30', to: '07:00' } },
    answers: { 200: 'The preferences after the change.' },
    response: { 200: preferences },
  },
  listNotifications: {
    description: 'Rows are deleted after 90 days. `seq` numbers the inbox of the account without gaps.',
    answers: { 200: 'A page of the inbox, newest first, and the number of unread rows.' },
    response: {
      200: {
        notifications: [
          {
            id: objectId,
            seq: 41,
            category: 'friend-request',
            title: 'New friend request',
            body: 'Bob wants to be your friend.',
            data: { requestId: objectId },
            createdAt: '2026-10-21T09:00:00.000Z',
            readAt: null,
          },
        ],
        unread: 1,
        nextCursor: null,
      },
    },
  },
  readNotifications: {
    description: 'Send either `ids` or `all: true`. Ids that are not in the inbox have no effect.',
    request: { ids: [objectId] },
    answers: { 204: 'The notifications are marked as read.' },
  },
  registerDevice: {
    description:
      'Registers the device for this session; the registration ends with the session. The same token again updates it, and moves it from the account that had it before. An account has at most 10 devices; an eleventh removes the oldest registration. A device that has not registered for 90 days is removed. Pushes require the consent `push`.',
    request: {
      token: '9f2c4e',
      environment: 'production',
      bundleId: 'com.example.pufftrack',
      locale: 'de-AT',
    },
    answers: { 201: 'The device is registered.' },
    response: { 201: { environment: 'production', registeredAt: '2026-10-21T10:00:00.000Z' } },
  },
  removeDevice: {
    description: 'Idempotent: an unknown token is 204 too.',
    answers: { 204: 'The device receives no more pushes.' },
  },
  listMilestones: {
    description:
      'The milestones of the caller, and those that friends who share `milestones` or more were awarded in the last 30 days on confirmed days. A milestone that the log no longer supports is revoked: it and its cheers are removed and its notification is marked as read, without an event.',
    answers: { 200: 'Milestones, newest first, one of each kind and length.' },
    response: {
      200: {
        mine: [
          {
            id: objectId,
            kind: 'under-limit',
            days: 7,
            version: 1,
            awardedAt: '2026-10-20T02:10:00.000Z',
            evidence: { from: '2026-10-13', to: '2026-10-19' },
            cheers: [{ kind: 'clap', count: 2 }],
          },
        ],
        friends: [
          {
            id: objectId,
            friend: { userId: friendId, name: 'Bob' },
            kind: 'abstinence',
            days: 3,
            reachedOn: '2026-10-19',
            myCheers: [],
          },
        ],
      },
    },
  },
  cheerMilestone: {
    description:
      'One cheer of each kind for a milestone; a repeated one has no effect. At most 30 in 24 h, otherwise 429. The owner receives a `notification`, unless the owner has muted the caller. A milestone of the caller, or one that the caller cannot see, is 404. Requires `friends-sharing`.',
    request: { kind: 'clap' },
    answers: { 204: 'The cheer is stored.' },
  },
  removeCheer: {
    description:
      'Without `kind` all cheers of the caller for the milestone are removed. Without a cheer it is 204 where the caller sees the milestone, otherwise 404.',
    answers: { 204: 'The cheers are removed.' },
  },
  getConfig: {
    description:
      'An app reads it at its start. Below `minAppBuild` calls with `X-App-Build` are 426 `upgrade-required`, but for auth, puff writes and deletion.',
    answers: { 200: 'The oldest build served, the time of the server, and limits.' },
    response: {
      200: {
        minAppBuild: 0,
        serverTime: '2026-10-21T10:15:00.000Z',
        limits: {
          puffsPerBatch: 1000,
          puffsPerSocketBatch: 100,
          quantityPerPuff: 50,
          bodyBytes: 65_536,
          batchBodyBytes: 524_288,
          socketFrameBytes: 65_536,
          pageSize: 500,
          sessions: 10,
          socketsPerPerson: 5,
        },
      },
    },
  },
  healthLive: {
    description: 'Restart the process when this fails.',
    answers: { 200: 'The process runs.' },
    response: { 200: { status: 'live' } },
  },
  healthReady: {
    description:
      'Send traffic while this is 200. `degraded` is 200 too: Redis is down, every call is answered, and live events between processes are missing. It is 503 while starting, while draining, when the database is not reachable, and when no write was acknowledged for 10 s.',
    answers: { 200: 'The process can answer.', 503: 'The process cannot answer now.' },
    response: {
      200: { status: 'ready', dependencies: { mongodb: 'up', redis: 'off' }, zoneRules },
      503: { status: 'not-ready', dependencies: { mongodb: 'down', redis: 'off' }, zoneRules },
    },
  },
  healthStartup: {
    description: 'Is 503 until the database is migrated and the services have started.',
    answers: { 200: 'The start has finished.', 503: 'The start is in progress.' },
    response: { 200: { status: 'started' }, 503: { status: 'starting' } },
  },
} satisfies Partial<OperationTexts<EndpointName>>;
