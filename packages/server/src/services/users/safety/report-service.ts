import type { ReportReason } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { quotaWindowMs, requireDailyQuota } from '../../../platform/limits/daily-quota.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { NotificationInbox } from '../ports.ts';
import type { FriendService } from '../friends/friend-service.ts';
import { levelInForce } from '../sharing/friendship.ts';
import type { UserSettingsCache } from '../accounts/user-settings-cache.ts';
import type { Report, ReportStore } from './report-store.ts';
import type { UserRecord } from '../accounts/user.ts';
import type { UserStore } from '../accounts/user-store.ts';

const maxPerDay = 10;
/** Reports of this many different users hide a name until the operator reviews it (domain.md D10). */
const reportersThatHide = 3;
const listedAtOnce = 200;

/** The operator's decision about a name; it holds until the next verdict, or until new reports hide the name. */
export type Verdict = 'show' | 'hide';

export interface OpenReport extends Report {
  /** The stored name, also while it is hidden. */
  readonly name: string | null;
  readonly nameHidden: boolean;
}

export interface Reports {
  /** Same result for the caller's own and unknown ids. Throws `rate-limited` after 10 in 24 hours. */
  report(
    userId: string,
    input: { userId: string; reason: ReportReason; note?: string | undefined },
  ): Promise<void>;
  /** Open reports with the stored names, oldest first. */
  listOpen(): Promise<OpenReport[]>;
  /** Closes the open reports of a user; returns their number. Throws `not-found` for an unknown user. */
  review(userId: string, verdict: Verdict): Promise<number>;
}

export const createReportService = (deps: {
  connection: Connection;
  users: UserStore;
  reports: ReportStore;
  userSettings: UserSettingsCache;
  friends: Pick<FriendService, 'refreshForFriends'>;
  inbox: Pick<NotificationInbox, 'hideName'>;
  clock: Clock;
}): Reports => {
  const { connection, users, reports, userSettings, friends, clock } = deps;

  /** Connected friends get the shown or hidden name at once. */
  const publishName = async (user: UserRecord): Promise<void> => {
    const person = userSettings.publish(user);
    await friends.refreshForFriends(person, (given) => levelInForce(given, person) !== 'none');
  };

  return {
    async report(userId, { userId: reported, reason, note }) {
      const hidden = await inTransaction(
        connection,
        async (tx) => {
          const now = clock.now();
          await users.lockForUpdate(userId, tx);
          const usedAt = await reports.listMadeSince(userId, now - quotaWindowMs, tx);
          requireDailyQuota(usedAt, { max: maxPerDay, what: 'reports', now });
          const user = await users.find(reported, tx);
          if (!user || reported === userId) return undefined;
          // Concurrent reports of one user conflict here, so that the later one counts the earlier one.
          await users.lockForUpdate(reported, tx);
          await reports.save({ reporter: userId, reported, reason, note: note ?? null, at: now }, tx);
          if (user.nameHidden || (await reports.countOpen(reported, tx)) < reportersThatHide)
            return undefined;
          return users.setNameHidden(reported, true, tx);
        },
        () => void userSettings.republish(reported),
      );
      if (!hidden) return;
      await deps.inbox.hideName(reported);
      await publishName(hidden);
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
      const { user, closed } = await inTransaction(
        connection,
        async (tx) => {
          const reviewed = await users.setNameHidden(userId, verdict === 'hide', tx);
          if (!reviewed) throw new DomainError('not-found', { detail: 'No user has this id.' });
          return { user: reviewed, closed: await reports.closeAll(userId, tx) };
        },
        () => void userSettings.republish(userId),
      );
      await publishName(user);
      return closed;
    },
  };
};
