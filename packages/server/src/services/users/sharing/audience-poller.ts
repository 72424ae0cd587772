import type { Logger } from '../../../platform/telemetry/logger.ts';
import { createPoller, type Poller } from '../../../platform/concurrency/poller.ts';
import type { AudienceRooms } from '../ports.ts';
import type { Audience } from './audience.ts';
import type { AudienceStore } from './audience-store.ts';

/** A change reaches every open socket within 5 s (STORE-2); this leaves time for the queries and a slow moment. */
const everyMs = 2_000;
/**
 * How far before the newest change a poll begins (ms). A change is stamped inside its transaction, which may commit up to
 * 13 s later, and the clocks of two members of the replica set may differ.
 */
const overlapMs = 30_000;
const pageSize = 2_000;
/** Each open socket is placed again once in this number of polls: 5 min (WS-2). */
const pollsPerRecheck = 150;

export interface AudiencePoller extends Poller {
  /** Polls once. */
  check(): Promise<void>;
}

/**
 * Audience polling: finds audiences that another process has changed by querying the database every 2 s, and moves the
 * sockets of this process. It needs no bus: with one, changes arrive sooner, and a lost announcement is repaired here
 * (docs/adr/0014-audience-polling.md).
 */
export const createAudiencePoller = (deps: {
  store: Pick<AudienceStore, 'listSince' | 'findNewest'>;
  audience: Audience;
  rooms: Pick<AudienceRooms, 'connectedUsers'>;
  /** Ends ghost mode where its time is over. */
  endExpiredGhosts: () => Promise<void>;
  log: Logger;
  pollsPerRecheck?: number;
}): AudiencePoller => {
  const { store, audience, rooms } = deps;
  const polls = deps.pollsPerRecheck ?? pollsPerRecheck;
  /** The newest change that was read, by the clock of the database. */
  let newest: number | undefined;
  /** The versions that were applied, of the changes that the next poll reads again. */
  let done = new Map<string, { version: number; at: number }>();
  /** The users whose sockets this recheck has still to place. */
  let due: string[] = [];
  let perPoll = 0;

  const applyChanges = async () => {
    newest ??= (await store.findNewest())?.at ?? 0;
    let from = newest - overlapMs;
    for (;;) {
      const page = await store.listSince(from, pageSize);
      const fresh = page.filter(({ userId, version }) => done.get(userId)?.version !== version);
      // Changes that could not be applied are read again: the next poll begins at the same instant.
      if (!(await audience.refresh(fresh.map(({ userId }) => userId)))) return;
      for (const { userId, version, at } of fresh) done.set(userId, { version, at });
      const last = page.at(-1);
      if (!last) break;
      newest = Math.max(newest, last.at);
      if (page.length < pageSize) break;
      from = last.at === from ? from + 1 : last.at;
    }
    const oldest = newest - overlapMs;
    done = new Map([...done].filter(([, { at }]) => at >= oldest));
  };

  const recheck = async () => {
    if (due.length === 0) {
      due = [...rooms.connectedUsers()];
      perPoll = Math.ceil(due.length / polls);
    }
    await audience.join(due.splice(0, perPoll));
  };

  const check = async () => {
    await applyChanges();
    await recheck();
    // Last: the end of ghost mode shares more, and earlier changes may share less.
    await deps.endExpiredGhosts();
  };
  const poller = createPoller({
    poll: check,
    everyMs,
    onFailed(error) {
      deps.log.warn({ event: 'users.audience_watch_failed', err: error }, 'audience polling failed');
    },
  });

  return { check, ...poller };
};
