import type { Logger } from '../../../platform/telemetry/logger.ts';
import { createPoller, type Poller } from '../../../platform/concurrency/poller.ts';
import type { Audience, AudienceRooms } from './audience.ts';
import type { AudienceStore } from './audience-store.ts';

/** A change holds on every open socket within 5 s (STORE-2); this leaves time for the queries and a slow moment. */
const everyMs = 2_000;
/**
 * How far behind the newest change a look begins (ms). A change is stamped inside its transaction, which may commit
 * 13 s later at the most, and two members of the replica set may disagree about the time.
 */
const overlapMs = 30_000;
const pageSize = 2_000;
/** Each open socket is put where it belongs anew once in so many looks: 5 min (WS-2). */
const pollsPerRecheck = 150;

export interface AudienceWatch extends Poller {
  /** Looks once. */
  check(): Promise<void>;
}

/**
 * Finds whose audience another process has changed, by asking the database every 2 s, and moves the sockets that this
 * process holds. It needs no bus: where there is one the news comes sooner, and where it is lost this repairs it
 * (docs/adr/0014-audience-polling.md).
 */
export const createAudienceWatch = (deps: {
  store: Pick<AudienceStore, 'listSince' | 'findNewest'>;
  audience: Audience;
  rooms: Pick<AudienceRooms, 'openPeople'>;
  /** Ends the rests whose time is over. */
  endExpiredGhosts: () => Promise<void>;
  log: Logger;
  pollsPerRecheck?: number;
}): AudienceWatch => {
  const { store, audience, rooms } = deps;
  const looks = deps.pollsPerRecheck ?? pollsPerRecheck;
  /** The newest change that was seen, by the database's clock. */
  let newest: number | undefined;
  /** The versions that were acted on, of the changes that the next look meets again. */
  let done = new Map<string, { version: number; at: number }>();
  /** Who is still to be placed anew in this turn of all. */
  let due: string[] = [];
  let perLook = 0;

  const lookForChanges = async () => {
    newest ??= (await store.findNewest())?.at ?? 0;
    let from = newest - overlapMs;
    for (;;) {
      const page = await store.listSince(from, pageSize);
      const fresh = page.filter(({ userId, version }) => done.get(userId)?.version !== version);
      // What could not be settled is met again: the next look begins where this one did.
      if (!(await audience.changed(fresh.map(({ userId }) => userId)))) return;
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
      due = [...rooms.openPeople()];
      perLook = Math.ceil(due.length / looks);
    }
    await audience.place(due.splice(0, perLook));
  };

  const check = async () => {
    await lookForChanges();
    await recheck();
    // Last: whose rest is over shares more, and nobody hears too much meanwhile.
    await deps.endExpiredGhosts();
  };
  const poller = createPoller({
    poll: check,
    everyMs,
    onFailed(error) {
      deps.log.warn({ event: 'users.audience_watch_failed', err: error }, 'audiences were not checked');
    },
  });

  return { check, ...poller };
};
