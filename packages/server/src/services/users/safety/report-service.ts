import type { ReportReason } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { quotaWindowMs, requireDailyQuota } from '../../../platform/limits/daily-quota.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { FriendService } from '../friends/friend-service.ts';
import { levelInForce } from '../friends/friendship.ts';
import type { HideName } from './hide-name.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import type { Report, ReportStore } from './report-store.ts';
import type { UserRecord } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';

const maxPerDay = 10;
/** So many different people hide a name until somebody has looked (domain.md D10). */
const reportersThatHide = 3;
const listedAtOnce = 200;

/** What the operator decides of a name; it holds until the next verdict, or until new reports hide it. */
export type Verdict = 'show' | 'hide';

export interface OpenReport extends Report {
  /** Whatever others see of it. */
  readonly name: string | null;
  readonly nameHidden: boolean;
}

export interface Reports {
  /** The same answer whomever it names, oneself and nobody included. Throws `rate-limited` beyond ten a day. */
  report(
    userId: string,
    input: { userId: string; reason: ReportReason; note?: string | undefined },
  ): Promise<void>;
  /** What waits for the operator, with the names as they are, oldest first. */
  listOpen(): Promise<OpenReport[]>;
  /** Closes what is open of a person; answers how many. Throws `not-found` where there is nobody. */
  review(userId: string, verdict: Verdict): Promise<number>;
}

export const createReports = (deps: {
  connection: Connection;
  users: UserStore;
  reports: ReportStore;
  userSettings: UserSettingsCache;
  friends: Pick<FriendService, 'refreshForFriends'>;
  /** Takes a person's name out of what was told of them: everywhere, to one person, or of one friend request. */
  hideName: HideName;
  clock: Clock;
}): Reports => {
  const { connection, users, reports, userSettings, friends, clock } = deps;

  /** Friends who are connected see the name, or no longer, at once. */
  const showName = async (user: UserRecord): Promise<void> => {
    const person = userSettings.publish(user);
    await friends.refreshForFriends(person, (given) => levelInForce(given, person) !== 'none');
  };

  return {
    async report(userId, { userId: reported, reason, note }) {
      const hidden = await inTransaction(connection, async (tx) => {
        const now = clock.now();
        await users.lockForUpdate(userId, tx);
        const usedAt = await reports.listMadeSince(userId, now - quotaWindowMs, tx);
        requireDailyQuota(usedAt, { max: maxPerDay, what: 'reports', now });
        const user = await users.find(reported, tx);
        if (!user || reported === userId) return undefined;
        // Of two reports of one person at once, the later one counts the earlier.
        await users.lockForUpdate(reported, tx);
        await reports.save({ reporter: userId, reported, reason, note: note ?? null, at: now }, tx);
        if (user.nameHidden || (await reports.countOpen(reported, tx)) < reportersThatHide) return undefined;
        return users.setNameHidden(reported, true, tx);
      });
      if (!hidden) return;
      await deps.hideName(reported);
      await showName(hidden);
    },

    async listOpen() {
      const open = await reports.listOpen(listedAtOnce);
      const known = await users.findMany([...new Set(open.map(({ reported }) => reported))]);
      const byId = new Map(known.map((user) => [user.userId, user]));
      return open.map((report) => {
        const user = byId.get(report.reported);
        return { ...report, name: user?.name ?? null, nameHidden: user?.nameHidden ?? false };
      });
    },

    async review(userId, verdict) {
      const { user, closed } = await inTransaction(connection, async (tx) => {
        const reviewed = await users.setNameHidden(userId, verdict === 'hide', tx);
        if (!reviewed) throw new DomainError('not-found', { detail: 'There is nobody of this id.' });
        return { user: reviewed, closed: await reports.closeAll(userId, tx) };
      });
      await showName(user);
      return closed;
    },
  };
};
