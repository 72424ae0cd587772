import { trusted, type ClientSession, type Connection } from 'mongoose';
import type { Ghost, UserRecord } from '../accounts/user.ts';
import { toGhostDoc, toUser, usersOf, type UserDoc } from '../accounts/user-store.ts';

/** A person whose audience changed; `at` (ms) is of the database's clock. */
export interface AudienceChange {
  readonly userId: string;
  readonly version: number;
  readonly at: number;
}

/**
 * Who hears of a person's puffs: every change of it moves that person's `audienceVersion` in the transaction that makes
 * the change, stamped by the database's clock. So any process can ask what changed, and needs nobody to tell it.
 */
export interface AudienceStore {
  /** Belongs into the transaction of the change; of two at once that change one person's audience, one runs again. */
  move(userIds: readonly string[], tx: ClientSession): Promise<void>;
  /** Changes at or after `since` (ms), oldest first, at most `limit`. */
  listSince(since: number, limit: number): Promise<AudienceChange[]>;
  /** The newest change of all; undefined where there was none yet. */
  findNewest(): Promise<AudienceChange | undefined>;
  /** Begins a rest, or gives the one that lasts another end. Undefined where there is nobody. */
  setGhost(userId: string, ghost: Ghost, tx: ClientSession): Promise<UserRecord | undefined>;
  /** Takes a rest away; `endedAt` (ms) is when it ended. Undefined where there is none. */
  endGhost(
    userId: string,
    end: { endedAt: number; onlyIfExpired: boolean },
    tx: ClientSession,
  ): Promise<UserRecord | undefined>;
  /** People whose rest was over by `now` (ms). */
  listExpiredGhosts(now: number, limit: number): Promise<{ userId: string; until: number }[]>;
}

export const createAudienceStore = (connection: Connection): AudienceStore => {
  const users = usersOf(connection);
  const moved = { $inc: { audienceVersion: 1 }, $currentDate: { audienceChangedAt: true } } as const;
  const movedWithSettings = { ...moved, $inc: { ...moved.$inc, settingsVersion: 1 } } as const;

  return {
    async move(userIds, tx) {
      await users.updateMany({ _id: trusted({ $in: [...userIds] }) }, moved, { session: tx });
    },
    async listSince(since, limit) {
      const docs = await users
        .find({ audienceChangedAt: trusted({ $gte: new Date(since) }) })
        .select({ audienceVersion: 1, audienceChangedAt: 1 })
        .sort({ audienceChangedAt: 1 })
        .limit(limit)
        .lean<UserDoc[]>();
      return docs.map(toChange);
    },
    async findNewest() {
      const doc = await users
        .findOne({ audienceChangedAt: trusted({ $gte: new Date(0) }) })
        .select({ audienceVersion: 1, audienceChangedAt: 1 })
        .sort({ audienceChangedAt: -1 })
        .lean<UserDoc>();
      return doc ? toChange(doc) : undefined;
    },
    async setGhost(userId, ghost, tx) {
      const doc = await users
        .findOneAndUpdate(
          { _id: userId },
          { ...movedWithSettings, $set: { ghost: toGhostDoc(ghost) } },
          { returnDocument: 'after', session: tx },
        )
        .lean<UserDoc>();
      return doc ? toUser(doc) : undefined;
    },
    async endGhost(userId, { endedAt, onlyIfExpired }, tx) {
      const at = new Date(endedAt);
      const doc = await users
        .findOneAndUpdate(
          {
            _id: userId,
            ...(onlyIfExpired
              ? { 'ghost.until': trusted({ $lte: at }) }
              : { 'ghost.since': trusted({ $exists: true }) }),
          },
          { ...movedWithSettings, $unset: { ghost: 1 }, $set: { sharesSince: at } },
          { returnDocument: 'after', session: tx },
        )
        .lean<UserDoc>();
      return doc ? toUser(doc) : undefined;
    },
    async listExpiredGhosts(now, limit) {
      const docs = await users
        .find({ 'ghost.until': trusted({ $lte: new Date(now), $type: 'date' }) })
        .select({ ghost: 1 })
        .limit(limit)
        .lean<Pick<UserDoc, '_id' | 'ghost'>[]>();
      return docs.flatMap(({ _id, ghost }) =>
        ghost?.until ? [{ userId: _id, until: ghost.until.getTime() }] : [],
      );
    },
  };
};

const toChange = ({ _id, audienceVersion, audienceChangedAt }: UserDoc): AudienceChange => ({
  userId: _id,
  version: audienceVersion,
  at: audienceChangedAt?.getTime() ?? 0,
});
