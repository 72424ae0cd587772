import type { ClientSession, Connection } from 'mongoose';
import type { Ghost, UserRecord } from '../accounts/user.ts';
import { toGhostDoc, toUser, usersOf, type UserDoc } from '../accounts/user-documents.ts';

/** A change of a user's audience; `at` (ms) is by the clock of the database. */
export interface AudienceChange {
  readonly userId: string;
  readonly version: number;
  readonly at: number;
}

/**
 * Every change of a user's audience increments that user's `audienceVersion` in the transaction of the change, stamped by
 * the clock of the database. So each process finds all changes by polling.
 */
export interface AudienceStore {
  /** Part of the transaction of the change; of two transactions that change one audience, one runs again. */
  markChanged(userIds: readonly string[], tx: ClientSession): Promise<void>;
  /** Changes at or after `since` (ms), oldest first, at most `limit`. */
  listSince(since: number, limit: number): Promise<AudienceChange[]>;
  /** The newest change of all; undefined before the first one. */
  findNewest(): Promise<AudienceChange | undefined>;
  /** Starts ghost mode, or changes its end. Undefined for an unknown user. */
  setGhost(userId: string, ghost: Ghost, tx: ClientSession): Promise<UserRecord | undefined>;
  /** Ends ghost mode; `endedAt` in ms. Undefined where it is not on, or with `onlyIfExpired` has not expired. */
  endGhost(
    userId: string,
    end: { endedAt: number; onlyIfExpired: boolean },
    tx: ClientSession,
  ): Promise<UserRecord | undefined>;
  /** Users whose ghost mode had expired by `now` (ms). */
  listExpiredGhosts(now: number, limit: number): Promise<{ userId: string; until: number }[]>;
}

export const createAudienceStore = (connection: Connection): AudienceStore => {
  const { collection: users } = usersOf(connection);
  const changed = { $inc: { audienceVersion: 1 }, $currentDate: { audienceChangedAt: true } } as const;
  const changedWithSettings = { ...changed, $inc: { ...changed.$inc, settingsVersion: 1 } } as const;

  return {
    async markChanged(userIds, tx) {
      await users.updateMany({ _id: { $in: [...userIds] } }, changed, { session: tx });
    },
    async listSince(since, limit) {
      const docs = await users
        .find(
          { audienceChangedAt: { $gte: new Date(since) } },
          { projection: changeProjection, sort: { audienceChangedAt: 1 }, limit },
        )
        .toArray();
      return docs.map(toChange);
    },
    async findNewest() {
      const doc = await users.findOne(
        { audienceChangedAt: { $gte: new Date(0) } },
        { projection: changeProjection, sort: { audienceChangedAt: -1 } },
      );
      return doc ? toChange(doc) : undefined;
    },
    async setGhost(userId, ghost, tx) {
      const doc = await users.findOneAndUpdate(
        { _id: userId },
        { ...changedWithSettings, $set: { ghost: toGhostDoc(ghost) } },
        { returnDocument: 'after', session: tx },
      );
      return doc ? toUser(doc) : undefined;
    },
    async endGhost(userId, { endedAt, onlyIfExpired }, tx) {
      const at = new Date(endedAt);
      const doc = await users.findOneAndUpdate(
        {
          _id: userId,
          ...(onlyIfExpired ? { 'ghost.until': { $lte: at } } : { 'ghost.since': { $exists: true } }),
        },
        { ...changedWithSettings, $unset: { ghost: 1 }, $set: { sharesSince: at } },
        { returnDocument: 'after', session: tx },
      );
      return doc ? toUser(doc) : undefined;
    },
    async listExpiredGhosts(now, limit) {
      const docs = await users
        .find({ 'ghost.until': { $lte: new Date(now), $type: 'date' } }, { projection: { ghost: 1 }, limit })
        .toArray();
      return docs.flatMap(({ _id, ghost }) =>
        ghost?.until ? [{ userId: _id, until: ghost.until.getTime() }] : [],
      );
    },
  };
};

const changeProjection = { audienceVersion: 1, audienceChangedAt: 1 } as const;

const toChange = ({ _id, audienceVersion, audienceChangedAt }: UserDoc): AudienceChange => ({
  userId: _id,
  version: audienceVersion,
  at: audienceChangedAt?.getTime() ?? 0,
});
