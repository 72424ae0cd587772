import type { PersistentEventName, ServerEvent } from '@pufftrack/contract';
import { secondMs } from '../../../domain/durations.ts';
import { createPoller } from '../../../platform/concurrency/poller.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { InboxReplay } from './inbox-replay.ts';
import type { InboxRow, InboxStore } from './inbox-store.ts';
import { viewNotification } from './notification-view.ts';

/** Rows that another process has appended reach the sockets here after this time at the latest. */
const pollEveryMs = secondMs;
const idsPerQuery = 5_000;
const pageSize = 200;

/** An open socket, and the number of the event that it was sent last. */
interface Reader {
  seq: number;
  readonly emit: (event: PersistentEventName, payload: ServerEvent<PersistentEventName>) => void;
}

export interface InboxDelivery extends Pick<InboxReplay, 'subscribe'> {
  /** The inbox may have new rows: delivers them without being awaited. */
  deliverSoon(userId: string): void;
  /** Resolves when the sockets here have received everything that is committed now. */
  drain(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/**
 * Sends the inbox to the sockets of this process. Every socket has a position in its user's numbers and is sent what
 * follows, so order and completeness need neither a bus nor a lease: the process that holds the socket reads the rows.
 * A killed process loses sockets and no row; its clients reconnect with `lastSeq` (docs/adr/0016-inbox-and-push.md).
 */
export const createInboxDelivery = (deps: {
  store: Pick<InboxStore, 'heads' | 'listAfter'>;
  log: Logger;
}): InboxDelivery => {
  const { store, log } = deps;
  const users = new Map<string, { readers: Set<Reader>; last: Promise<void> }>();

  const send = (readers: readonly Reader[], row: InboxRow) => {
    for (const reader of readers) {
      if (reader.seq >= row.seq) continue;
      reader.seq = row.seq;
      reader.emit(row.event, { seq: row.seq, notification: viewNotification(row) });
    }
  };

  const sendNew = async (userId: string) => {
    for (;;) {
      // A reader that subscribes during the query may be behind these rows; it has a delivery of its own.
      const readers = [...(users.get(userId)?.readers ?? [])];
      if (readers.length === 0) return;
      const after = readers.reduce((seq, reader) => Math.min(seq, reader.seq), Infinity);
      const rows = await store.listAfter(userId, after, pageSize);
      for (const row of rows) send(readers, row);
      if (rows.length < pageSize) return;
    }
  };

  /** One delivery of a user at a time, so that no row overtakes another. */
  const deliver = (userId: string): Promise<void> => {
    const user = users.get(userId);
    if (!user) return Promise.resolve();
    const delivery = user.last.then(() => sendNew(userId));
    user.last = delivery.catch((error: unknown) => {
      log.warn({ event: 'inbox.delivery_failed', userId, err: error }, 'inbox delivery failed; will retry');
    });
    return delivery;
  };
  const deliverSoon = (userId: string) => {
    void deliver(userId).catch(() => undefined);
  };

  const poll = async () => {
    const ids = [...users.keys()];
    for (let from = 0; from < ids.length; from += idsPerQuery) {
      const heads = await store.heads(ids.slice(from, from + idsPerQuery));
      await Promise.all(
        [...heads].map(async ([userId, head]) => {
          const readers = users.get(userId)?.readers ?? [];
          if ([...readers].some(({ seq }) => seq < head)) await deliver(userId);
        }),
      );
    }
  };
  const poller = createPoller({
    poll,
    everyMs: pollEveryMs,
    onFailed(error) {
      log.warn({ event: 'inbox.poll_failed', err: error }, 'inbox poll of open sockets failed');
    },
  });

  return {
    subscribe(userId, after, emit) {
      const user = users.get(userId) ?? { readers: new Set<Reader>(), last: Promise.resolve() };
      users.set(userId, user);
      const reader: Reader = { seq: after, emit };
      user.readers.add(reader);
      deliverSoon(userId);
      return () => {
        user.readers.delete(reader);
        if (user.readers.size === 0 && users.get(userId) === user) users.delete(userId);
      };
    },
    deliverSoon,
    drain: poll,
    start: poller.start,
    async stop() {
      await poller.stop();
      await Promise.all([...users.values()].map(({ last }) => last));
    },
  };
};
