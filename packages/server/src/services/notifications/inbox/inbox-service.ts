import type { Notification } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import { newId } from '../../../platform/ids.ts';
import { deliveryOf } from '../preferences/preferences.ts';
import type { PreferencesStore } from '../preferences/preferences-store.ts';
import { readInboxCursor, writeInboxCursor } from './inbox-cursor.ts';
import { decoyInboxId, type InboxStore } from './inbox-store.ts';
import { renderNotification, type NotificationEvent } from './notification-event.ts';
import { viewNotification } from './notification-view.ts';

/**
 * Appends a notification to the inbox of `userId`, inside the transaction that causes it: both are committed or neither.
 * Pushes are sent after the commit. If the recipient has switched the category off, or there is no recipient (null), the
 * row goes to a decoy inbox with the same database calls, so that the response time does not reveal whether the recipient
 * exists (domain.md D10). Cheers of one milestone share one row and one push while the row is unread.
 */
export type Notify = (tx: ClientSession, userId: string | null, event: NotificationEvent) => Promise<void>;

/** Where pushes are queued, inside the transaction that appends the row. */
export interface PushQueue {
  enqueue(tx: ClientSession, row: { id: string; userId: string }): Promise<void>;
}

export interface InboxService {
  notify: Notify;
  /** Newest first. Throws `invalid-cursor`. */
  list(
    userId: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ notifications: Notification[]; unread: number; nextCursor: string | null }>;
  /** All without ids; ids of other users are skipped. */
  markRead(userId: string, ids: readonly string[] | undefined): Promise<void>;
}

export const createInboxService = (deps: {
  store: InboxStore;
  preferences: Pick<PreferencesStore, 'find'>;
  push: PushQueue;
  /** The transaction has ended; this inbox may have a new row. */
  onAppended: (userId: string) => void;
  clock: Clock;
}): InboxService => {
  const { store, push, clock } = deps;

  return {
    async notify(tx, recipient, event) {
      const { together, ...rendered } = renderNotification(event);
      if (recipient !== null && together !== undefined) {
        const row = { userId: recipient, kind: event.kind, data: rendered.data, together };
        if (await store.join(row, tx)) return;
      }
      const id = newId();
      const preferences = await deps.preferences.find(recipient ?? decoyInboxId(id), tx);
      const isOff = deliveryOf(preferences, rendered.category) === 'off';
      const userId = recipient === null || isOff ? decoyInboxId(id) : recipient;
      await store.append({ id, userId, kind: event.kind, ...rendered, createdAt: clock.now() }, tx);
      await push.enqueue(tx, { id, userId });
      // `ended` covers rollbacks too; the delivery then finds no new row.
      tx.once('ended', () => {
        deps.onAppended(userId);
      });
    },

    async list(userId, { cursor, limit }) {
      const below = cursor === undefined ? Number.MAX_SAFE_INTEGER : readInboxCursor(userId, cursor);
      const [rows, unread] = await Promise.all([
        store.listBefore(userId, below, limit + 1),
        store.countUnread(userId),
      ]);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        notifications: page.map(viewNotification),
        unread,
        nextCursor: rows.length > limit && last ? writeInboxCursor(userId, last.seq) : null,
      };
    },

    markRead: (userId, ids) => store.markRead(userId, ids, clock.now()),
  };
};
