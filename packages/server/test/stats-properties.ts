import { expect } from '@jest/globals';
import fc from 'fast-check';
import { wallClockAt } from '../src/domain/time-zones.ts';
import { createDetailedStats } from '../src/services/analytics/stats/detailed-stats.ts';
import { createGapReader } from '../src/services/analytics/streaks/gap-reader.ts';
import { computeSettled } from '../src/services/analytics/streaks/settled-runs.ts';
import { hourBins, statsDays } from '../src/services/analytics/stats/stats-days.ts';
import { statsOf } from '../src/services/analytics/stats/stats.ts';
import { dayOf, localDayAt } from '../src/domain/local-day.ts';
import { referenceDay, referenceStats, type ReferenceWorld } from './stats-reference.ts';
import { anyWorld, serverWorld, timeZone } from './stats-world.ts';

/** The gaps of `GET /users/stats`, computed twice: the second time from the stored gaps, without reads. */
const detailsTwice = async (
  world: ReferenceWorld,
  inputs: Omit<Parameters<ReturnType<typeof createDetailedStats>>[0], 'person'>,
) => {
  let { settled } = inputs;
  let reads = 0;
  const detailed = createDetailedStats({
    settled: {
      storeGaps: (_person, before, stretch) => {
        settled = { ...before, gaps: { ...before.gaps, stretch } };
        return Promise.resolve();
      },
    },
    gapReader: createGapReader({
      puffs: {
        momentsBetween(_userId, { from, to }) {
          reads += 1;
          const moments = world.puffs
            .filter(({ timestamp }) => timestamp >= from && timestamp <= to)
            .map(({ timestamp, timeZone }) => ({ timestamp, wall: wallClockAt(timeZone, timestamp) }));
          return Promise.resolve(moments.sort((a, b) => a.timestamp - b.timestamp));
        },
      },
    }),
  });
  const person = { userId: 'alice', createdAt: 0 };
  const first = await detailed({ ...inputs, person });
  const read = reads;
  expect(await detailed({ ...inputs, person, settled })).toEqual(first);
  expect(reads).toBe(read);
  return first;
};

/** Every number of the server equals the reference, in random histories. */
export const expectStatsOfReference = (numRuns: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(anyWorld, async (world) => {
      const { settings, history, calendar } = serverWorld(world);
      const countOn = (day: number) => history.countOn(day, world.dayStartHour);
      const settled = computeSettled(calendar, {
        rev: history.rev,
        firstActiveDay: history.activeDays(world.dayStartHour)[0],
        countOn,
        spans: history.spans(-Infinity),
      });
      const plain = statsOf({ settings, calendar, history, settled, now: world.now });
      const stats = await detailsTwice(world, { stats: plain, calendar, history, settled, now: world.now });
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
        abstinenceSeconds: stats.streaks.abstinenceSeconds,
        longestGapToday: stats.longestGapTodaySeconds ?? null,
        average7: stats.average7,
        average30: stats.average30,
      }).toEqual({
        today: dayOf(reference.today),
        counts: reference.counts,
        limit: reference.limit,
        puffFreeDays: reference.puffFreeDays,
        underLimitDays: reference.underLimitDays,
        abstinenceSeconds: {
          current: reference.abstinenceSeconds,
          best: reference.bestAbstinence ?? undefined,
        },
        longestGapToday: reference.longestGapToday,
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

/** The server's zone library and Intl agree on the day of every instant, for any start of the day. */
export const expectOneDayForEachInstant = (numRuns: number): void => {
  const instants = fc.integer({ min: Date.UTC(2016, 0), max: Date.UTC(2030, 0) });
  fc.assert(
    fc.property(instants, timeZone, fc.integer({ min: 0, max: 23 }), (instant, zone, dayStartHour) => {
      expect(localDayAt(instant, zone, dayStartHour)).toBe(referenceDay(zone, instant, dayStartHour));
    }),
    { numRuns },
  );
};

/** Every puff is on exactly one of the listed days, and their hours sum to the total quantity. */
export const expectDaysToSumUp = (numRuns: number): void => {
  fc.assert(
    fc.property(anyWorld, (world) => {
      const { history, calendar } = serverWorld(world);
      const range = {
        from: calendar.today - 200,
        to: calendar.today + 2,
        hoursOn: (day: number) => history.hoursOn(day, world.dayStartHour),
      };
      const sent = world.puffs.reduce((sum, { quantity }) => sum + quantity, 0);
      const days = statsDays(calendar, range);
      expect(days.reduce((sum, { count }) => sum + count, 0)).toBe(sent);
      for (const { count, hours } of days) expect(hours.reduce((sum, some) => sum + some, 0)).toBe(count);
      const { bins, confirmedDays } = hourBins(calendar, range);
      expect(bins.reduce((sum, count) => sum + count, 0)).toBe(sent);
      expect(confirmedDays).toBe(days.filter(({ status }) => status === 'confirmed').length);
    }),
    { numRuns },
  );
};
