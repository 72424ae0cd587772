import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import type { ChangeAnnouncements, SettingsChanged } from '../ports.ts';
import { accountGone, settingsOf, type UserSettings, type UserRecord } from './user.ts';
import type { UserStore } from './user-store.ts';

/** A change by another process is seen after this time at the latest. */
export const settingsMaxAgeMs = 5_000;
const maxPeople = 50_000;
/** Announced versions of users who are not cached; far more than change during one read. */
const maxAnnounced = 10_000;

/** The settings of users, cached for seconds. */
export interface UserSettingsCache {
  /** Synchronous where it is cached, which the hot path relies on. Throws `account-gone`. */
  get(userId: string): UserSettings | Promise<UserSettings>;
  /** The cached settings; undefined where `get` would read the database. */
  peek(userId: string): UserSettings | undefined;
  /** From the database, in one query; unknown users are left out. */
  getMany(userIds: readonly string[]): Promise<ReadonlyMap<string, UserSettings>>;
  /** Caches a user who was read for another purpose. */
  put(user: UserRecord): UserSettings;
  /** Applies the deletion of an account in this process at once. */
  evict(userId: string): void;
  /** Applies a committed change in this process at once, and announces it to the other processes. */
  publish(user: UserRecord): UserSettings;
  /**
   * Reads the settings and applies them as `publish` does, after a transaction whose outcome is unknown. Where the read fails,
   * the cached settings are evicted.
   */
  republish(userId: string): Promise<void>;
  /** Another process has announced a change: cached settings of an older version are read again. */
  markStale(change: SettingsChanged): void;
}

interface Known {
  readonly settings: UserSettings;
  readonly readAt: number;
  /** An older version must not be cached. */
  readonly atLeast: number;
}

export const createUserSettingsCache = (deps: {
  users: Pick<UserStore, 'find' | 'findMany'>;
  clock: Clock;
  announcements: Pick<ChangeAnnouncements, 'settingsChanged'>;
}): UserSettingsCache => {
  const { users, clock } = deps;
  const known = new LRUCache<string, Known>({ max: maxPeople });
  /** The result of a read that began before an announced change must not be cached. */
  const announced = new LRUCache<string, number>({ max: maxAnnounced });

  const current = (entry: Known | undefined): UserSettings | undefined => {
    const age = entry ? clock.now() - entry.readAt : Infinity;
    return entry && age >= 0 && age < settingsMaxAgeMs ? entry.settings : undefined;
  };

  const put = (user: UserRecord, readAt = clock.now()): UserSettings => {
    const settings = settingsOf(user);
    const before = known.get(user.userId);
    const { settingsVersion } = settings;
    // A read that began before a change must not overwrite it.
    if (before && before.settings.settingsVersion > settingsVersion) return before.settings;
    const atLeast = before?.atLeast ?? announced.get(user.userId) ?? 0;
    if (atLeast <= settingsVersion) known.set(user.userId, { settings, readAt, atLeast: settingsVersion });
    return settings;
  };

  const read = async (userId: string): Promise<UserSettings> => {
    const readAt = clock.now();
    const user = await users.find(userId);
    if (!user) {
      known.delete(userId);
      return accountGone();
    }
    return put(user, readAt);
  };

  const publish = (user: UserRecord): UserSettings => {
    const settings = put(user);
    deps.announcements.settingsChanged({ userId: user.userId, settingsVersion: settings.settingsVersion });
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
      const found = await users.findMany(userIds);
      return new Map(found.map((user) => [user.userId, put(user, readAt)]));
    },
    put: (user) => put(user),
    evict(userId) {
      known.delete(userId);
    },
    publish,
    async republish(userId) {
      known.delete(userId);
      const user = await users.find(userId).catch(() => undefined);
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
