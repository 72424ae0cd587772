import type { Notification } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import { newId } from '../../../platform/ids.ts';
import { readInboxCursor, writeInboxCursor } from './inbox-cursor.ts';
import { decoyInboxId, type InboxStore } from './inbox-store.ts';
import { renderNotification, type NotificationEvent } from './notification-event.ts';
import { viewNotification } from './notification-view.ts';
import { deliveryOf } from '../preferences/preferences.ts';
import type { PreferencesStore } from '../preferences/preferences-store.ts';

/**
 * Tells a person something inside the transaction that makes it true: both are committed or neither. Phones learn of it
 * after the commit. To somebody who has switched the category off it is told as to nobody (null): with the same calls
 * of the database, so that whoever caused it cannot tell by the time whether there is somebody (domain.md D10).
 * Cheers of one milestone are one row while that is unread, and nobody is called to the phone for it again.
 */
export type Notify = (tx: ClientSession, userId: string | null, event: NotificationEvent) => Promise<void>;

export interface InboxService {
  notify: Notify;
  /** Newest first. Throws `invalid-cursor`. */
  list(
    userId: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ notifications: Notification[]; unread: number; nextCursor: string | null }>;
  /** All of them without ids; what is not this person's is passed over. */
  markRead(userId: string, ids: readonly string[] | undefined): Promise<void>;
}

export const createInboxService = (deps: {
  store: InboxStore;
  preferences: PreferencesStore;
  /** Promises to look whom to push a row to, inside the transaction that writes it. */
  promisePush: (tx: ClientSession, row: { id: string; userId: string }) => Promise<void>;
  /** The transaction is over, and may have told this person something. */
  onAppended: (userId: string) => void;
  clock: Clock;
}): InboxService => {
  const { store, clock } = deps;

  return {
    async notify(tx, to, event) {
      const { together, ...rendered } = renderNotification(event);
      if (to !== null && together !== undefined) {
        const isJoined = await store.join(
          { userId: to, kind: event.kind, data: rendered.data, together },
          tx,
        );
        if (isJoined) return;
      }
      const id = newId();
      const preferences = await deps.preferences.find(to ?? decoyInboxId(id), tx);
      const userId =
        to === null || deliveryOf(preferences, rendered.category) === 'off' ? decoyInboxId(id) : to;
      await store.append({ id, userId, kind: event.kind, ...rendered, createdAt: clock.now() }, tx);
      await deps.promisePush(tx, { id, userId });
      // Ended, not committed: whoever looks finds nothing new where it was rolled back.
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
