import type { Connection } from 'mongoose';
import { settingsOf, type UserSettings } from './user.ts';
import { toUser, usersOf } from './user-documents.ts';

/** A page of a job: of all users, or of those whose local days begin together. */
export interface UserPage {
  readonly dayRollover?: { readonly timeZone: string; readonly dayStartHour: number };
  /** The last `userId` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Reads of many users for jobs, past the cache. */
export interface UserListingStore {
  /** In the order of the ids. */
  listPage(page: UserPage): Promise<UserSettings[]>;
  /** Every time zone that a user has, as it is spelled there. */
  listTimeZones(): Promise<string[]>;
  /** Those of these ids without an account. */
  findDeletedUsers(userIds: readonly string[]): Promise<string[]>;
}

export const createUserListingStore = (connection: Connection): UserListingStore => {
  const { collection: users } = usersOf(connection);
  return {
    async listPage({ dayRollover, after, limit }) {
      const docs = await users
        .find(
          { ...dayRollover, ...(after !== undefined && { _id: { $gt: after } }) },
          { sort: { _id: 1 }, limit },
        )
        .toArray();
      return docs.map((doc) => settingsOf(toUser(doc)));
    },
    listTimeZones: () => users.distinct('timeZone'),
    async findDeletedUsers(userIds) {
      const docs = await users.find({ _id: { $in: [...userIds] } }, { projection: { _id: 1 } }).toArray();
      const existing = new Set(docs.map(({ _id }) => _id));
      return userIds.filter((userId) => !existing.has(userId));
    },
  };
};
