import type { FriendSummary, Ghost } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { Audience } from './audience.ts';
import type { AudienceStore } from './audience-store.ts';
import type { FriendService } from '../friends/friend-service.ts';
import { isAtLeast, isResting, levelInForce, mayShare } from '../friends/friendship.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import { settingsOf, type PersonSettings, type UserRecord } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';
import { viewGhost } from '../accounts/user-view.ts';

const pageSize = 100;
const longestRestMs = 3_652 * 86_400_000;

/**
 * Ghost mode (domain.md D10): friends see the summary of when it began, marked as resting, and hear of nothing; the
 * person's own view stays as it is. What happened meanwhile is not told when it ends: no event is sent late.
 */
export interface GhostService {
  /** `until` null: until it is ended. A rest that lasts keeps its beginning. Throws `invalid` for a time that is over. */
  begin(userId: string, until: string | null): Promise<Ghost>;
  /** Nothing happens where there is none. */
  end(userId: string): Promise<void>;
  /** Ends what is over by the clock; any number of processes may do it, and one of them tells the friends. */
  endExpired(): Promise<void>;
}

export const createGhosts = (deps: {
  connection: Connection;
  users: Pick<UserStore, 'find'>;
  store: AudienceStore;
  userSettings: UserSettingsCache;
  audience: Audience;
  friends: Pick<FriendService, 'refreshForFriends'>;
  summaries: (people: readonly PersonSettings[]) => Promise<ReadonlyMap<string, FriendSummary>>;
  clock: Clock;
}): GhostService => {
  const { connection, users, store, userSettings, audience, friends, clock } = deps;

  const settled = async (user: UserRecord): Promise<void> => {
    const person = userSettings.publish(user);
    await audience.changed([person.userId]);
    await friends.refreshForFriends(person, (side) => isAtLeast(levelInForce(side, person), 'summary'));
  };

  const end = (userId: string, endedAt: number, onlyIfExpired: boolean) =>
    inTransaction(
      connection,
      (tx) => store.endGhost(userId, { endedAt, onlyIfExpired }, tx),
      () => void userSettings.republish(userId),
    );

  return {
    async begin(userId, until) {
      const now = clock.now();
      const endsAt = until === null ? null : Date.parse(until);
      if (endsAt !== null && endsAt <= now)
        throw new DomainError('invalid', {
          detail: 'A rest ends in the future, or is ended by DELETE.',
          errors: [{ path: 'until', message: 'must be in the future, or null' }],
        });
      if (endsAt !== null && endsAt > now + longestRestMs)
        throw new DomainError('invalid', {
          detail: 'A rest of more than ten years is one without an end.',
          errors: [{ path: 'until', message: 'must be within ten years, or null' }],
        });
      const person = settingsOf((await users.find(userId)) ?? gone());
      const shown = mayShare(person) ? (await deps.summaries([person])).get(userId) : undefined;
      const user = await inTransaction(
        connection,
        async (tx) => {
          const before = (await users.find(userId, tx)) ?? gone();
          const lasting = isResting(before, now) ? before.ghost : null;
          const begun = lasting ?? { since: now, summary: shown ?? null };
          return (await store.setGhost(userId, { ...begun, until: endsAt }, tx)) ?? gone();
        },
        () => void userSettings.republish(userId),
      );
      await settled(user);
      return viewGhost(user.ghost ?? gone());
    },
    async end(userId) {
      const user = await end(userId, clock.now(), false);
      if (user) await settled(user);
    },
    async endExpired() {
      for (const { userId, until } of await store.listExpiredGhosts(clock.now(), pageSize)) {
        const user = await end(userId, until, true);
        if (user) await settled(user);
      }
    },
  };
};

const gone = (): never => {
  throw new DomainError('account-gone', { detail: 'This account does not exist any more.' });
};
