import { expect } from '@jest/globals';
import fc from 'fast-check';
import { settle } from '../src/services/analytics/settled-runs.ts';
import { statsOf } from '../src/services/analytics/stats.ts';
import { dayOf } from '../src/services/puffs/index.ts';
import { referenceDay, referenceStats } from './stats-reference.ts';
import { anyWorld, historyOf, serverWorld } from './stats-world.ts';

/** Every figure of the server equals the reference, in random lives. */
export const expectFiguresOfReference = (numRuns: number): void => {
  fc.assert(
    fc.property(anyWorld, (world) => {
      const { settings, history, calendar } = serverWorld(world);
      const countOn = (day: number) => history.countOn(day, world.dayStartHour);
      const settled = settle(calendar, {
        rev: history.rev,
        firstActiveDay: history.activeDays(world.dayStartHour)[0],
        countOn,
      });
      const stats = statsOf({ settings, calendar, history, settled, now: world.now });
      const reference = referenceStats(world);
      expect({
        today: stats.today,
        counts: {
          day: stats.dailyPuffCount,
          week: stats.weeklyPuffCount,
          month: stats.monthlyPuffCount,
          total: stats.totalPuffCount,
        },
        limit: stats.dailyLimit,
        puffFreeDays: stats.streaks.puffFreeDays,
        underLimitDays: stats.streaks.underLimitDays,
        abstinenceSeconds: stats.streaks.abstinenceSeconds.current,
        average7: stats.average7,
        average30: stats.average30,
      }).toEqual({
        today: dayOf(reference.today),
        counts: reference.counts,
        limit: reference.limit,
        puffFreeDays: reference.puffFreeDays,
        underLimitDays: reference.underLimitDays,
        abstinenceSeconds: reference.abstinenceSeconds,
        average7: reference.average7,
        average30: reference.average30,
      });
      const [change, exact] = [stats.changeVsPreviousWeek, reference.changeVsPreviousWeek];
      expect(change === null).toBe(exact === null);
      expect(Math.abs((change ?? 0) - (exact ?? 0))).toBeLessThan(0.000_500_001);
      expect(change).toBe(change === null ? null : Number(change.toFixed(3)));
      const days = [...reference.status.keys()];
      expect(days.map((day) => calendar.statusOf(day, countOn(day)))).toEqual([...reference.status.values()]);
      expect(days.map((day) => calendar.limitOn(day))).toEqual([...reference.limits.values()]);
    }),
    { numRuns },
  );
};

/** Each puff stands on exactly one day, whatever the settings, and the days sum to what was sent. */
export const expectDaysToSumUp = (numRuns: number): void => {
  fc.assert(
    fc.property(anyWorld, fc.integer({ min: 0, max: 23 }), (world, dayStartHour) => {
      const history = historyOf(world.puffs);
      const sent = new Map<number, number>();
      for (const { timestamp, timeZone, quantity } of world.puffs) {
        const day = referenceDay(timeZone, timestamp, dayStartHour);
        sent.set(day, (sent.get(day) ?? 0) + quantity);
      }
      const days = history.activeDays(dayStartHour);
      expect(days).toEqual([...sent.keys()].sort((a, b) => a - b));
      expect(days.map((day) => history.countOn(day, dayStartHour))).toEqual(days.map((day) => sent.get(day)));
      const hours = days.flatMap((day) => history.hoursOn(day, dayStartHour));
      expect(hours.reduce((sum, count) => sum + count, 0)).toBe(history.total);
    }),
    { numRuns },
  );
};
