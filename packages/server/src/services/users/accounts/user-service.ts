import type { User, UserPatch } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { randomCode } from '../../../platform/ids.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { StatsReader } from '../ports.ts';
import { friendCodeLength } from './friend-code.ts';
import { accountGone, profileChanges } from './user.ts';
import type { UserSettingsCache } from './user-settings-cache.ts';
import type { UserStore } from './user-store.ts';
import { viewUser } from './user-view.ts';

export interface UserService {
  me(userId: string): Promise<User>;
  change(userId: string, patch: UserPatch): Promise<User>;
  /** Returns the new friend code; the old one stops working. */
  rotateFriendCode(userId: string): Promise<string>;
}

export const createUserService = (deps: {
  connection: Connection;
  users: UserStore;
  userSettings: UserSettingsCache;
  stats: Pick<StatsReader, 'profileChanged'>;
  clock: Clock;
  isKnownZone: (name: string) => boolean;
}): UserService => {
  const { users, userSettings, clock } = deps;
  return {
    async me(userId) {
      return viewUser((await users.find(userId)) ?? accountGone(), clock.now());
    },
    async change(userId, patch) {
      const changes = profileChanges(patch, deps.isKnownZone);
      const user = await users.changeProfile(userId, changes, clock.now());
      if (!user) return accountGone();
      await deps.stats.profileChanged(userSettings.publish(user), Object.keys(changes));
      return viewUser(user, clock.now());
    },
    rotateFriendCode(userId) {
      // A code that is taken is a duplicate key, on which the transaction runs again with another code.
      return inTransaction(deps.connection, async (tx) => {
        const friendCode = randomCode(friendCodeLength);
        return (await users.setFriendCode(userId, friendCode, tx)) ? friendCode : accountGone();
      });
    },
  };
};
