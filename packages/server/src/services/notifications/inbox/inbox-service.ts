import type { Notification } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import { newId } from '../../../platform/ids.ts';
import { readInboxCursor, writeInboxCursor } from './inbox-cursor.ts';
import { nobody, type InboxStore } from './inbox-store.ts';
import { noteOf, type News } from './notification-event.ts';
import { viewNotification } from './notification-view.ts';
import { deliveryOf } from '../preferences/preferences.ts';
import type { PreferencesStore } from '../preferences/preferences-store.ts';

/**
 * Tells a person something inside the transaction that makes it true: both are committed or neither. Phones learn of it
 * after the commit. To somebody who has switched the category off it is told as to nobody (null): with the same calls
 * of the database, so that whoever caused it cannot tell by the time whether there is somebody (domain.md D10).
 * Cheers of one milestone are one row while that is unread, and nobody is called to the phone for it again.
 */
export type Tell = (tx: ClientSession, userId: string | null, news: News) => Promise<void>;

export interface InboxService {
  tell: Tell;
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
  onTold: (userId: string) => void;
  clock: Clock;
}): InboxService => {
  const { store, clock } = deps;

  return {
    async tell(tx, to, news) {
      const { together, ...note } = noteOf(news);
      if (to !== null && together !== undefined) {
        const isTold = await store.join({ userId: to, kind: news.kind, data: note.data, together }, tx);
        if (isTold) return;
      }
      const id = newId();
      const preferences = await deps.preferences.find(to ?? nobody(id), tx);
      const userId = to === null || deliveryOf(preferences, note.category) === 'off' ? nobody(id) : to;
      await store.append({ id, userId, kind: news.kind, ...note, createdAt: clock.now() }, tx);
      await deps.promisePush(tx, { id, userId });
      // Ended, not committed: whoever looks finds nothing new where it was rolled back.
      tx.once('ended', () => {
        deps.onTold(userId);
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
