import type { PersistentEventName, ServerEvent } from '@pufftrack/contract';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { createPoller } from '../../../platform/concurrency/poller.ts';
import type { InboxRow, InboxStore } from './inbox-store.ts';
import { viewNotification } from './notification-view.ts';

/** What another process has told a person is sent to the sockets here after this long at the latest. */
const everyMs = 1_000;
const idsPerQuery = 5_000;
const pageSize = 200;

/** An open socket, and the number of the event that it was sent last. */
interface Reader {
  seq: number;
  readonly emit: (event: PersistentEventName, payload: ServerEvent<PersistentEventName>) => void;
}

export interface InboxDelivery {
  /** From now on the socket gets every row after `seq`, in order. Answers how to stop. */
  open(userId: string, seq: number, emit: Reader['emit']): () => void;
  /** A person may have been told something: looks soon, without waiting for it. */
  moved(userId: string): void;
  /** Resolves when the sockets here have had everything that is committed now. */
  settle(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/**
 * Sends the inbox to the sockets of this process. Every socket has a place in its person's numbers and is sent what
 * comes after it, so order and completeness need neither a bus nor a lease: whoever holds the socket reads the rows.
 * A process that is killed loses sockets and no row; they come back with `lastSeq` (docs/adr/0016-inbox-and-push.md).
 */
export const createInboxDelivery = (deps: {
  store: Pick<InboxStore, 'heads' | 'listAfter'>;
  log: Logger;
}): InboxDelivery => {
  const { store, log } = deps;
  const people = new Map<string, { readers: Set<Reader>; last: Promise<void> }>();

  const send = (readers: readonly Reader[], row: InboxRow) => {
    for (const reader of readers) {
      if (reader.seq >= row.seq) continue;
      reader.seq = row.seq;
      reader.emit(row.event, { seq: row.seq, notification: viewNotification(row) });
    }
  };

  const sendNew = async (userId: string) => {
    for (;;) {
      // Who comes while the rows are read may stand before them, and has a turn of their own.
      const readers = [...(people.get(userId)?.readers ?? [])];
      if (readers.length === 0) return;
      const after = readers.reduce((seq, reader) => Math.min(seq, reader.seq), Infinity);
      const rows = await store.listAfter(userId, after, pageSize);
      for (const row of rows) send(readers, row);
      if (rows.length < pageSize) return;
    }
  };

  /** One after the other for each person, so that no row overtakes another. */
  const deliver = (userId: string): Promise<void> => {
    const person = people.get(userId);
    if (!person) return Promise.resolve();
    const mine = person.last.then(() => sendNew(userId));
    person.last = mine.catch((error: unknown) => {
      log.warn({ event: 'inbox.not_sent', userId, err: error }, 'an inbox could not be read; tried again');
    });
    return mine;
  };

  const poll = async () => {
    const ids = [...people.keys()];
    for (let from = 0; from < ids.length; from += idsPerQuery) {
      const heads = await store.heads(ids.slice(from, from + idsPerQuery));
      await Promise.all(
        [...heads].map(async ([userId, head]) => {
          const readers = people.get(userId)?.readers ?? [];
          if ([...readers].some(({ seq }) => seq < head)) await deliver(userId);
        }),
      );
    }
  };
  const poller = createPoller({
    poll,
    everyMs,
    onFailed(error) {
      log.warn({ event: 'inbox.not_watched', err: error }, 'the inboxes of open sockets were not looked at');
    },
  });

  return {
    open(userId, seq, emit) {
      const person = people.get(userId) ?? { readers: new Set<Reader>(), last: Promise.resolve() };
      people.set(userId, person);
      const reader: Reader = { seq, emit };
      person.readers.add(reader);
      void deliver(userId).catch(() => undefined);
      return () => {
        person.readers.delete(reader);
        if (person.readers.size === 0 && people.get(userId) === person) people.delete(userId);
      };
    },
    moved(userId) {
      void deliver(userId).catch(() => undefined);
    },
    settle: poll,
    start: poller.start,
    async stop() {
      await poller.stop();
      await Promise.all([...people.values()].map(({ last }) => last));
    },
  };
};
