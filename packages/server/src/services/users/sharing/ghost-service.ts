import type { Ghost } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { Audience } from './audience.ts';
import type { AudienceStore } from './audience-store.ts';
import type { StatsReader } from '../ports.ts';
import { mayShare } from '../consents/consent.ts';
import { dayMs } from '../../../domain/durations.ts';
import { isAtLeast, isResting, levelInForce, type Side } from './friendship.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import { accountGone, settingsOf, type UserSettings, type UserRecord } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';
import { viewGhost } from '../accounts/user-view.ts';

const pageSize = 100;
const longestGhostMs = 3_652 * dayMs;

/**
 * Ghost mode (domain.md D10): friends see the summary from its beginning, marked as resting, and receive no events; the
 * user's own view does not change. Events from that time are not sent when it ends.
 */
export interface GhostService {
  /** `until` null: until it is ended. Ghost mode that is on keeps its beginning. Throws `invalid` for a past time. */
  begin(userId: string, until: string | null): Promise<Ghost>;
  /** Idempotent. */
  end(userId: string): Promise<void>;
  /** Ends ghost mode where its time is over. Where several processes do it at once, one of them updates the friends. */
  endExpired(): Promise<void>;
}

/** friends: sends a user's current state to the friends whose side of the friendship `isAffected`. */
export type RefreshForFriends = (user: UserSettings, isAffected: (given: Side) => boolean) => Promise<void>;

export const createGhostService = (deps: {
  connection: Connection;
  users: Pick<UserStore, 'find'>;
  store: AudienceStore;
  userSettings: UserSettingsCache;
  audience: Audience;
  refreshForFriends: RefreshForFriends;
  stats: Pick<StatsReader, 'summaries'>;
  clock: Clock;
}): GhostService => {
  const { connection, users, store, userSettings, audience, clock } = deps;

  const publish = async (user: UserRecord): Promise<void> => {
    const person = userSettings.publish(user);
    await audience.refresh([person.userId]);
    await deps.refreshForFriends(person, (side) => isAtLeast(levelInForce(side, person), 'summary'));
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
          detail: 'Ghost mode ends in the future; DELETE ends it now.',
          errors: [{ path: 'until', message: 'must be in the future, or null' }],
        });
      if (endsAt !== null && endsAt > now + longestGhostMs)
        throw new DomainError('invalid', {
          detail: 'Ghost mode lasts at most ten years; `null` means without an end.',
          errors: [{ path: 'until', message: 'must be within ten years, or null' }],
        });
      const person = settingsOf((await users.find(userId)) ?? accountGone());
      const shown = mayShare(person) ? (await deps.stats.summaries([person])).get(userId) : undefined;
      const user = await inTransaction(
        connection,
        async (tx) => {
          const before = (await users.find(userId, tx)) ?? accountGone();
          const current = isResting(before, now) ? before.ghost : null;
          const begun = current ?? { since: now, summary: shown ?? null };
          return (await store.setGhost(userId, { ...begun, until: endsAt }, tx)) ?? accountGone();
        },
        () => void userSettings.republish(userId),
      );
      await publish(user);
      return viewGhost(user.ghost ?? accountGone());
    },
    async end(userId) {
      const user = await end(userId, clock.now(), false);
      if (user) await publish(user);
    },
    async endExpired() {
      for (const { userId, until } of await store.listExpiredGhosts(clock.now(), pageSize)) {
        const user = await end(userId, until, true);
        if (user) await publish(user);
      }
    },
  };
};
