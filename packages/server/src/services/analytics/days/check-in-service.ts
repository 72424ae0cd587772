import type { UserStats } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { processingPurposes } from '../../../domain/consents.ts';
import type { PublishStats, PuffHistories, UserDirectory } from '../ports.ts';
import { checkInDays, checkInHistoryDays } from './check-in.ts';
import type { CheckInStore } from './check-in-store.ts';
import { todayOf } from './local-days.ts';

export interface CheckInService {
  /** Adds or removes check-ins for past days. A day with puffs is left as it is. */
  checkIn(userId: string, input: { days: readonly string[]; none: boolean }): Promise<UserStats>;
}

export const createCheckInService = (deps: {
  checkIns: CheckInStore;
  users: Pick<UserDirectory, 'settings' | 'changeSettings'>;
  puffs: Pick<PuffHistories, 'history'>;
  clock: Clock;
  publishStats: PublishStats;
}): CheckInService => {
  const { checkIns, users, clock } = deps;
  return {
    async checkIn(userId, input) {
      const before = await users.settings(userId);
      const from = todayOf(before, clock.now()) - checkInHistoryDays;
      const history = await deps.puffs.history(userId, from);
      const { person } = await users.changeSettings(userId, processingPurposes, async (settings, tx) => {
        const now = clock.now();
        const days = checkInDays(input.days, todayOf(settings, now));
        if (!input.none) return checkIns.remove(userId, days, tx);
        const withoutPuffs = days.filter((day) => history.countOn(day, settings.dayStartHour) === 0);
        return checkIns.add(userId, withoutPuffs, now, tx);
      });
      return deps.publishStats(person);
    },
  };
};
