import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { settingsOf, type PersonSettings, type UserRecord } from './user.ts';
import type { PeoplePage, UserStore } from './user-store.ts';

/** Another process's change is seen after this long at the latest. */
const maxAgeMs = 5_000;
const maxPeople = 50_000;
/** Announced versions of people who are not in the cache; far more than change while a read is under way. */
const maxAnnounced = 10_000;

/** What the other services ask about people, from a cache of seconds. */
export interface UserSettingsCache {
  /** At once where it is known here, which the path of every puff counts on. Throws `account-gone`. */
  get(userId: string): PersonSettings | Promise<PersonSettings>;
  /** What `settings` would answer without a read; undefined where it would read. */
  peek(userId: string): PersonSettings | undefined;
  /** As the database has it now, in one query; absent people are left out. */
  getMany(userIds: readonly string[]): Promise<ReadonlyMap<string, PersonSettings>>;
  /** One page of people, in the order of their ids; for jobs, which leave the cache to those who are here now. */
  listPage(page: PeoplePage): Promise<PersonSettings[]>;
  /** Every zone that somebody lives in. */
  listTimeZones(): Promise<string[]>;
  /** Takes what was read anyway. */
  put(user: UserRecord): PersonSettings;
  /** Takes the end of an account into force in this process at once. */
  evict(userId: string): void;
  /** Puts a change in force: in this process at once, and in the others by their being told. */
  publish(user: UserRecord): PersonSettings;
  /**
   * Reads the settings and puts them in force as `publish` does: for a transaction whose outcome is not known. Where the
   * read fails, the cache forgets the person.
   */
  republish(userId: string): Promise<void>;
  /** Another process has changed this person's settings, which have reached this version. */
  markStale(change: SettingsChanged): void;
}

export interface SettingsChanged {
  readonly userId: string;
  readonly settingsVersion: number;
}

interface Known {
  readonly settings: PersonSettings;
  readonly readAt: number;
  /** What is older must not be kept. */
  readonly atLeast: number;
}

export const createUserSettingsCache = (deps: {
  store: UserStore;
  clock: Clock;
  onChanged: (change: SettingsChanged) => void;
}): UserSettingsCache => {
  const { store, clock } = deps;
  const known = new LRUCache<string, Known>({ max: maxPeople });
  /** A read that began before a change of somebody who is not in the cache yet must not be kept. */
  const announced = new LRUCache<string, number>({ max: maxAnnounced });

  const current = (entry: Known | undefined): PersonSettings | undefined => {
    const age = entry ? clock.now() - entry.readAt : Infinity;
    return entry && age >= 0 && age < maxAgeMs ? entry.settings : undefined;
  };

  const put = (user: UserRecord, readAt = clock.now()): PersonSettings => {
    const settings = settingsOf(user);
    const before = known.get(user.userId);
    const { settingsVersion } = settings;
    // A read that began before a change must not come over it.
    if (before && before.settings.settingsVersion > settingsVersion) return before.settings;
    const atLeast = before?.atLeast ?? announced.get(user.userId) ?? 0;
    if (atLeast <= settingsVersion) known.set(user.userId, { settings, readAt, atLeast: settingsVersion });
    return settings;
  };

  const read = async (userId: string): Promise<PersonSettings> => {
    const readAt = clock.now();
    const user = await store.find(userId);
    if (!user) {
      known.delete(userId);
      throw new DomainError('account-gone', { detail: 'This account does not exist any more.' });
    }
    return put(user, readAt);
  };

  const publish = (user: UserRecord): PersonSettings => {
    const settings = put(user);
    deps.onChanged({ userId: user.userId, settingsVersion: settings.settingsVersion });
    return settings;
  };

  return {
    get(userId) {
      return current(known.get(userId)) ?? read(userId);
    },
    peek: (userId) => current(known.peek(userId)),
    async getMany(userIds) {
      if (userIds.length === 0) return new Map();
      const readAt = clock.now();
      const users = await store.findMany(userIds);
      return new Map(users.map((user) => [user.userId, put(user, readAt)]));
    },
    listPage: async (page) => (await store.listPage(page)).map(settingsOf),
    listTimeZones: store.listTimeZones,
    put: (user) => put(user),
    evict(userId) {
      known.delete(userId);
    },
    publish,
    async republish(userId) {
      known.delete(userId);
      const user = await store.find(userId).catch(() => undefined);
      if (user) publish(user);
    },
    markStale({ userId, settingsVersion }) {
      const entry = known.peek(userId);
      if (!entry) announced.set(userId, Math.max(settingsVersion, announced.get(userId) ?? 0));
      else if (entry.settings.settingsVersion < settingsVersion)
        known.set(userId, { ...entry, readAt: -Infinity, atLeast: settingsVersion });
    },
  };
};
