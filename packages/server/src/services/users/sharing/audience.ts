import type { Clock } from '../../../platform/clock.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { FriendConnectionStore } from '../friends/friend-connection-store.ts';
import { isLive, type MuteAll } from '../friends/friendship.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';

/** The sockets that this process holds, by person; notifications gives it. */
export interface AudienceRooms {
  /** From now on the sockets of `viewers`, and no others here, are told of the puffs of `userId`. */
  setAudience(userId: string, viewers: ReadonlySet<string>): void;
  /** From now on the sockets of `viewer` here are told of the puffs of these people, and of no others. */
  setSources(viewer: string, userIds: ReadonlySet<string>): void;
  /** Whose sockets are here. */
  openPeople(): readonly string[];
}

export interface Audience {
  /**
   * Puts the sockets of this process where the audiences of these people are now, and their own sockets into those of
   * their friends; resolves when it is done. Where the database does not answer, no socket here gets their puffs and
   * theirs get no friend's until it does, and the answer is false.
   */
  changed(userIds: readonly string[]): Promise<boolean>;
  /** Puts the sockets of these people where they belong. Rejects where the database does not answer. */
  place(viewers: readonly string[]): Promise<void>;
}

/** People whose friendships are read together; each has 200 at most. */
const maxPerRound = 200;
const nobody: ReadonlySet<string> = new Set();

interface Round {
  readonly sharers: Set<string>;
  readonly viewers: Set<string>;
  readonly done: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Moves sockets between rooms by what the database says, never by what somebody remembers: each round reads and then
 * moves, one round at a time, so a look that began before a change can never come over the one after it. Whoever comes
 * while a round runs shares the next one, so a thousand phones that come back together cost a few questions.
 */
export const createAudience = (deps: {
  connections: Pick<FriendConnectionStore, 'listOfAny'>;
  userSettings: Pick<UserSettingsCache, 'getMany'>;
  findMuteAll: (userIds: readonly string[]) => Promise<ReadonlyMap<string, MuteAll>>;
  rooms: AudienceRooms;
  clock: Clock;
  log: Logger;
}): Audience => {
  const { connections, userSettings, rooms, clock, log } = deps;
  const waiting: Round[] = [];
  let running = false;

  const settle = async ({ sharers, viewers }: Round): Promise<void> => {
    const friendships = await connections.listOfAny([...sharers, ...viewers]);
    const asked = new Set(sharers);
    for (const { sides } of friendships) for (const { person } of sides) asked.add(person);
    const [settings, muteAll] = await Promise.all([
      userSettings.getMany([...asked]),
      deps.findMuteAll([...asked]),
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

  const work = async () => {
    running = true;
    for (let round = waiting.shift(); round; round = waiting.shift())
      await settle(round).then(round.resolve, round.reject);
    running = false;
  };

  const ask = (kind: 'sharers' | 'viewers', userId: string): Promise<void> => {
    let round = waiting.at(-1);
    if (!round || round.sharers.size + round.viewers.size >= maxPerRound) {
      round = newRound();
      waiting.push(round);
    }
    round[kind].add(userId);
    return round.done;
  };

  const askAll = async (wanted: { sharers?: readonly string[]; viewers: readonly string[] }) => {
    const { sharers = [], viewers } = wanted;
    const rounds = new Set([
      ...sharers.map((userId) => ask('sharers', userId)),
      ...viewers.map((userId) => ask('viewers', userId)),
    ]);
    if (!running) void work();
    await Promise.all(rounds);
  };

  return {
    async changed(userIds) {
      // A socket that opens from now on is placed by itself, on what the database says then.
      const open = new Set(rooms.openPeople());
      if (userIds.length === 0 || open.size === 0) return true;
      const viewers = userIds.filter((userId) => open.has(userId));
      try {
        await askAll({ sharers: userIds, viewers });
        return true;
      } catch (error) {
        for (const userId of userIds) rooms.setAudience(userId, nobody);
        for (const viewer of viewers) rooms.setSources(viewer, nobody);
        log.warn(
          { event: 'users.audience_unknown', err: error },
          'who may hear of whom was not read; nobody is told until it is',
        );
        return false;
      }
    },
    place: (viewers) => askAll({ viewers }),
  };
};

const newRound = (): Round => {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const done = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { sharers: new Set(), viewers: new Set(), done, resolve, reject };
};
