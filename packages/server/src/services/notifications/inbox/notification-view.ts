import { cleanText, type Notification } from '@pufftrack/contract';
import type { InboxRow } from './inbox-store.ts';

/** `cleanText`, because rows of earlier versions may hold names that are no longer accepted. */
export const viewNotification = (row: InboxRow): Notification => ({
  id: row.id,
  seq: row.seq,
  category: row.category,
  title: cleanText(row.title),
  body: cleanText(row.body),
  data: {
    kind: row.kind,
    ...Object.fromEntries(Object.entries(row.data).map(([key, value]) => [key, cleanText(value)])),
  },
  createdAt: new Date(row.createdAt).toISOString(),
  readAt: row.readAt === null ? null : new Date(row.readAt).toISOString(),
});
