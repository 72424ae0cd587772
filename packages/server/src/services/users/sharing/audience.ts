import type { Clock } from '../../../platform/clock.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { FriendConnectionStore } from './friend-connection-store.ts';
import type { AudienceRooms, MuteAllReader } from '../ports.ts';
import { isLive } from './friendship.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';

export interface Audience {
  /**
   * Moves the sockets of this process into the current audiences of these users, and their own sockets into the audiences
   * of their friends. False where the database does not answer: then no socket here receives the puffs of these users, and
   * their sockets receive none, until a later call succeeds.
   */
  refresh(userIds: readonly string[]): Promise<boolean>;
  /** Moves the sockets of these users into the right rooms. Rejects where the database does not answer. */
  join(viewers: readonly string[]): Promise<void>;
}

/** Users whose friendships are read together; each has at most 200. */
const maxPerBatch = 200;
const noUsers: ReadonlySet<string> = new Set();

interface Batch {
  readonly sharers: Set<string>;
  readonly viewers: Set<string>;
  readonly done: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Moves sockets between rooms by the state of the database alone. A batch reads and then moves, one batch at a time, so a
 * read from before a change cannot overwrite a later one. Calls during a batch share the next one, so a thousand clients
 * that reconnect together cost a few queries.
 */
export const createAudience = (deps: {
  connections: Pick<FriendConnectionStore, 'listOfAny'>;
  userSettings: Pick<UserSettingsCache, 'getMany'>;
  muteSettings: MuteAllReader;
  rooms: AudienceRooms;
  clock: Clock;
  log: Logger;
}): Audience => {
  const { connections, userSettings, rooms, clock, log } = deps;
  const waiting: Batch[] = [];
  let running = false;

  const applyBatch = async ({ sharers, viewers }: Batch): Promise<void> => {
    const friendships = await connections.listOfAny([...sharers, ...viewers]);
    const involved = new Set(sharers);
    for (const { sides } of friendships) for (const { person } of sides) involved.add(person);
    const [settings, muteAll] = await Promise.all([
      userSettings.getMany([...involved]),
      deps.muteSettings.findMuteAll([...involved]),
    ]);
    const now = clock.now();
    const audiences = new Map([...sharers].map((userId) => [userId, new Set<string>()]));
    const sources = new Map([...viewers].map((userId) => [userId, new Set<string>()]));
    for (const { sides } of friendships) {
      const [one, other] = sides;
      for (const [side, viewer] of [
        [one, other],
        [other, one],
      ] as const) {
        const sharer = settings.get(side.person);
        if (!sharer || !isLive(side, sharer, viewer, now, muteAll.get(viewer.person))) continue;
        audiences.get(side.person)?.add(viewer.person);
        sources.get(viewer.person)?.add(side.person);
      }
    }
    for (const [userId, audience] of audiences) rooms.setAudience(userId, audience);
    for (const [viewer, from] of sources) rooms.setSources(viewer, from);
  };

  const drain = async () => {
    running = true;
    for (let batch = waiting.shift(); batch; batch = waiting.shift())
      await applyBatch(batch).then(batch.resolve, batch.reject);
    running = false;
  };

  const enqueue = (kind: 'sharers' | 'viewers', userId: string): Promise<void> => {
    let batch = waiting.at(-1);
    if (!batch || batch.sharers.size + batch.viewers.size >= maxPerBatch) {
      batch = newBatch();
      waiting.push(batch);
    }
    batch[kind].add(userId);
    return batch.done;
  };

  const enqueueAll = async (wanted: { sharers?: readonly string[]; viewers: readonly string[] }) => {
    const { sharers = [], viewers } = wanted;
    const batches = new Set([
      ...sharers.map((userId) => enqueue('sharers', userId)),
      ...viewers.map((userId) => enqueue('viewers', userId)),
    ]);
    if (!running) void drain();
    await Promise.all(batches);
  };

  return {
    async refresh(userIds) {
      // A socket that opens later reads the database itself.
      const open = new Set(rooms.connectedUsers());
      if (userIds.length === 0 || open.size === 0) return true;
      const viewers = userIds.filter((userId) => open.has(userId));
      try {
        await enqueueAll({ sharers: userIds, viewers });
        return true;
      } catch (error) {
        for (const userId of userIds) rooms.setAudience(userId, noUsers);
        for (const viewer of viewers) rooms.setSources(viewer, noUsers);
        log.warn(
          { event: 'users.audience_unknown', err: error },
          'reading audiences failed; live puffs are withheld until it succeeds',
        );
        return false;
      }
    },
    join: (viewers) => enqueueAll({ viewers }),
  };
};

const newBatch = (): Batch => {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const done = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { sharers: new Set(), viewers: new Set(), done, resolve, reject };
};
