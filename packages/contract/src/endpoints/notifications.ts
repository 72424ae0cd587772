import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { NextCursor, Cursor, Id, Instant, Limit, Locale, optional, text } from '../values.ts';

export const notificationCategories = [
  'friend-request',
  'friend-accepted',
  'milestone',
  'cheer',
  'plan',
  'weekly',
  'security',
] as const;
export const NotificationCategory = z
  .enum(notificationCategories)
  .meta({ id: 'NotificationCategory', description: 'What a notification is about.' });
export type NotificationCategory = z.infer<typeof NotificationCategory>;

export const Notification = z
  .object({
    id: z.string(),
    seq: z.number().int().meta({ description: 'The number among the notifications of the person, from 1.' }),
    category: NotificationCategory,
    title: z.string(),
    body: z.string().meta({ description: 'The text below the title.' }),
    data: z
      .record(z.string(), z.string())
      .meta({ description: 'Ids and names to act on; which ones depends on the category.' }),
    createdAt: Instant,
    readAt: Instant.nullable(),
  })
  .meta({ id: 'Notification', description: 'One row of the inbox.' });
export type Notification = z.infer<typeof Notification>;

export const listNotifications = endpoint({
  method: 'GET',
  path: '/notifications',
  tag: 'notifications',
  auth: 'user',
  summary: 'The inbox, newest first; rows go after 90 days',
  query: z.object({ cursor: Cursor, limit: Limit }),
  responses: {
    200: z.object({
      notifications: z.array(Notification),
      unread: z.number().int().meta({ description: 'Rows of the whole inbox that are not read.' }),
      nextCursor: NextCursor,
    }),
  },
  problems: ['invalid-cursor'],
});

export const readNotifications = endpoint({
  method: 'PUT',
  path: '/notifications/read',
  tag: 'notifications',
  auth: 'user',
  summary: 'Mark notifications as read; ids that are not in the inbox are passed over',
  body: z
    .object({
      ids: optional(z.array(Id).min(1).max(500)).meta({ description: 'Ids of notifications.' }),
      all: optional(z.literal(true)).meta({ description: 'In place of `ids`: the whole inbox.' }),
    })
    .refine(({ ids, all }) => (ids === undefined) !== (all === undefined), {
      error: 'send either ids, or all: true',
    }),
  responses: { 204: null },
  problems: [],
});

export const Delivery = z.enum(['push', 'in-app', 'off']).meta({
  id: 'Delivery',
  description:
    '`push`: in the inbox and on the lock screen; `in-app`: in the inbox alone; `off`: no notification.',
});
export type Delivery = z.infer<typeof Delivery>;

const WallTime = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, { error: 'must be a time of day, HH:MM' })
  .meta({ example: '22:30' });

export const QuietHours = z
  .object({
    from: WallTime.meta({ description: 'HH:MM, inclusive.' }),
    to: WallTime.meta({ description: 'HH:MM, exclusive.' }),
  })
  .refine(({ from, to }) => from !== to, { error: 'must not end where they begin' })
  .meta({
    id: 'QuietHours',
    description:
      'By the wall clock of the person’s zone, `to` exclusive; over midnight where `to` is earlier.',
  });
export type QuietHours = z.infer<typeof QuietHours>;

export const NotificationPreferences = z
  .object({
    categories: z
      .record(NotificationCategory, Delivery)
      .meta({ description: 'The delivery of each category.' }),
    quietHours: QuietHours.nullable().meta({ description: 'Pushes wait until they are over.' }),
    discreet: z
      .boolean()
      .meta({ description: 'True, the default: a lock screen shows no name and nothing of the matter.' }),
    muteAll: z
      .boolean()
      .meta({ description: 'No `friendPuff` from any friend; mutes of single friends stay.' }),
  })
  .meta({ id: 'NotificationPreferences', description: 'Which notifications the account receives, and how.' });
export type NotificationPreferences = z.infer<typeof NotificationPreferences>;

export const NotificationPreferencesChange = z.object({
  categories: optional(z.partialRecord(NotificationCategory, optional(Delivery))).meta({
    description: 'A category that is absent keeps its delivery.',
  }),
  quietHours: QuietHours.nullish().meta({ description: 'null: none.' }),
  discreet: optional(z.boolean()).meta({ description: 'True: a lock screen shows no name and no content.' }),
  muteAll: optional(z.boolean()).meta({ description: 'True: no `friendPuff` from any friend.' }),
});
export type NotificationPreferencesChange = z.infer<typeof NotificationPreferencesChange>;

export const getNotificationPreferences = endpoint({
  method: 'GET',
  path: '/users/me/notification-preferences',
  tag: 'notifications',
  auth: 'user',
  summary: 'Which notifications the account receives, and how',
  responses: { 200: NotificationPreferences },
  problems: [],
});

export const putNotificationPreferences = endpoint({
  method: 'PUT',
  path: '/users/me/notification-preferences',
  tag: 'notifications',
  auth: 'user',
  summary: 'Change them; what is not named stays as it is, and `security` cannot be off',
  body: NotificationPreferencesChange,
  responses: { 200: NotificationPreferences },
  problems: [],
});

/** Hexadecimal, of any length: Apple gives none (PUSH-6). */
const DeviceToken = z
  .string()
  .regex(/^[0-9a-fA-F]{2,400}$/, { error: 'must be hexadecimal' })
  .toLowerCase()
  .meta({ description: 'The device token of APNs in hexadecimal.' });

const Environment = z
  .enum(['sandbox', 'production'])
  .meta({ description: 'The APNs environment of the token.' });

export const registerDevice = endpoint({
  method: 'POST',
  path: '/devices',
  tag: 'notifications',
  auth: 'user',
  summary: 'Register this phone for pushes; it is forgotten when the session ends',
  body: z.object({
    token: DeviceToken,
    environment: Environment,
    bundleId: text(1, 155).meta({ description: 'The bundle id of the app, the topic of its pushes.' }),
    locale: optional(Locale),
  }),
  responses: { 201: z.object({ environment: Environment, registeredAt: Instant }) },
  problems: [],
});

export const removeDevice = endpoint({
  method: 'DELETE',
  path: '/devices/:token',
  tag: 'notifications',
  auth: 'user',
  summary: 'No more pushes to this phone; an unknown one is fine',
  params: z.object({ token: DeviceToken }),
  responses: { 204: null },
  problems: [],
});
