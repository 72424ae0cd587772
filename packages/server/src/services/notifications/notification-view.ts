import type { Notification } from '@pufftrack/contract';
import type { InboxRow } from './inbox-store.ts';

export const viewNotification = (row: InboxRow): Notification => ({
  id: row.id,
  seq: row.seq,
  category: row.category,
  title: row.title,
  body: row.body,
  data: { kind: row.kind, ...row.data },
  createdAt: new Date(row.createdAt).toISOString(),
  readAt: row.readAt === null ? null : new Date(row.readAt).toISOString(),
});
