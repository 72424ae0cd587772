import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { milestoneKinds } from '@pufftrack/contract';
import { historyOf } from '../../../../test/history-of-puffs.ts';
import { dayNumberOf, dayOf, type DayNumber } from '../../../domain/local-day.ts';
import { dayMs } from '../../../domain/durations.ts';
import { calendarOf } from '../../analytics/goals/calendar.ts';
import { streakDaysOf, type StreakDays } from '../../analytics/streaks/streak-days.ts';
import { newRun } from '../../analytics/streaks/streaks.ts';
import {
  currentEvidence,
  milestoneDays,
  reachedMilestones,
  recentRuns,
  type ReachedMilestone,
} from './milestone-rules.ts';

const first = dayNumberOf('2026-03-01');
const limit = 3;

interface Days {
  readonly checkIns?: readonly DayNumber[];
  readonly skipped?: readonly DayNumber[];
}

/** Streak days of `counts`, which begin on `first`, with a limit of 3 from then on. */
const streakDaysWith = (counts: readonly number[], days: Days = {}): StreakDays => {
  const calendar = calendarOf(
    0,
    {
      goals: [
        {
          mode: 'reduce',
          dailyLimit: limit,
          plan: null,
          baselineDays: null,
          quitAt: null,
          quitDay: null,
          setAt: 0,
          effectiveDay: first,
        },
      ],
      checkIns: new Set(days.checkIns),
      lateCheckIns: new Set(),
      skipped: new Set(days.skipped),
    },
    // The day before `first` is the last settled one.
    dayNumberOf('2026-05-04'),
  );
  const puffs = counts.flatMap((quantity, index) =>
    quantity > 0 ? [{ timestamp: (first + index + 0.5) * dayMs, timeZone: 'UTC', quantity }] : [],
  );
  return streakDaysOf({
    calendar,
    history: historyOf(puffs),
    runs: { puffFree: newRun(), puffFreeHasBegun: false, underLimit: newRun() },
    firstDay: first,
  });
};

/** The milestones that are awarded day by day, with the number of days after which each is. */
const awardedOver = (counts: readonly number[], days?: Days): (ReachedMilestone & { after: number })[] => {
  const streakDays = streakDaysWith(counts, days);
  const awarded: (ReachedMilestone & { after: number })[] = [];
  for (let after = 1; after <= counts.length; after++)
    for (const run of recentRuns(streakDays, first + after - 1))
      for (const one of reachedMilestones(streakDays, run, awarded)) awarded.push({ ...one, after });
  return awarded;
};
const summaryOf = (awarded: readonly ReachedMilestone[]) =>
  awarded.map(({ kind, days, from, to }) => `${days} ${kind} ${dayOf(from).slice(5)}..${dayOf(to).slice(5)}`);
const puffFree = (days: number) => new Array<number>(days).fill(0);

describe('milestones', () => {
  it('exist for numbers of days only', () => {
    expect(milestoneDays).toEqual({
      abstinence: [1, 3, 7, 14, 30, 60, 90, 180, 365],
      'under-limit': [3, 7, 14, 30],
    });
  });

  it('are reached once per run, on the day that completes them', () => {
    expect(summaryOf(awardedOver([5, ...puffFree(7)]))).toEqual([
      '1 abstinence 03-02..03-02',
      '3 abstinence 03-02..03-04',
      '3 under-limit 03-02..03-04',
      '7 abstinence 03-02..03-08',
      '7 under-limit 03-02..03-08',
    ]);
  });

  it('restart after a puff, and after a day over the limit', () => {
    expect(summaryOf(awardedOver([3, 0, 3, 0, 4, 0]))).toEqual([
      '1 abstinence 03-02..03-02',
      '3 under-limit 03-01..03-03',
      '1 abstinence 03-04..03-04',
      '1 abstinence 03-06..03-06',
    ]);
  });

  it('do not count a skipped day', () => {
    const skipped = [first + 2];
    expect(summaryOf(awardedOver([5, 0, 0, 0], { skipped }))).toEqual(['1 abstinence 03-02..03-02']);
    expect(summaryOf(awardedOver([5, 0, 0, 0, 0], { skipped }))).toContain('3 abstinence 03-02..03-05');
  });

  it('are confirmed if each of their days is', () => {
    const confirmed = (checkIns: DayNumber[]) =>
      awardedOver([5, 0, 0, 0], { checkIns })
        .filter(({ kind }) => kind === 'abstinence')
        .map(({ isConfirmed }) => isConfirmed);
    expect(confirmed([])).toEqual([false, false]);
    expect(confirmed([first + 1])).toEqual([true, false]);
    expect(confirmed([first + 1, first + 2, first + 3])).toEqual([true, true]);
  });

  it('are evaluated for runs that ended within a week, to cover the time in which no worker ran', () => {
    const kindsAfter = (days: number) => {
      const counts = [5, ...puffFree(3), 9, ...new Array<number>(days).fill(9)];
      return recentRuns(streakDaysWith(counts), first + counts.length - 1).map(({ kind }) => kind);
    };
    expect(kindsAfter(5)).toEqual(['abstinence', 'under-limit']);
    expect(kindsAfter(6)).toEqual([]);
  });

  it('hold as long as their days support them', () => {
    const checkIns = [first + 1, first + 2, first + 3];
    const evidence = { days: 3, from: first + 1, to: first + 3 };
    const now = (kind: ReachedMilestone['kind'], counts: number[]) =>
      currentEvidence(streakDaysWith(counts, { checkIns }), { ...evidence, kind });
    expect(now('abstinence', [5, 0, 0, 0, 5])).toEqual({ isConfirmed: true });
    expect(now('abstinence', [5, 0, 1, 0])).toBeUndefined();
    expect(now('under-limit', [5, 0, 3, 0])).toEqual({ isConfirmed: true });
    expect(now('under-limit', [5, 0, 4, 0])).toBeUndefined();
    expect(currentEvidence(streakDaysWith([]), { ...evidence, kind: 'abstinence' })).toEqual({
      isConfirmed: false,
    });
  });

  it('are never more, earlier or longer with more puffs (STORE-1)', () => {
    const day = fc.record({
      count: fc.constantFrom(0, 0, 0, 0, 1, 3, 4),
      more: fc.constantFrom(0, 0, 0, 1, 2, 5),
    });
    const checkInDays = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(day, { minLength: 3, maxLength: 45 }), checkInDays, (days, indexes) => {
        const checkIns = indexes.map((index) => first + index);
        // Both histories begin with a puff.
        const less = awardedOver([1, ...days.map(({ count }) => count)], { checkIns });
        const more = awardedOver([1, ...days.map((one) => one.count + one.more)], { checkIns });
        const firstAfter = (awarded: typeof less, kind: ReachedMilestone['kind'], length: number) =>
          Math.min(
            ...awarded.filter((one) => one.kind === kind && one.days === length).map(({ after }) => after),
          );
        for (const kind of milestoneKinds)
          for (const length of milestoneDays[kind])
            expect(firstAfter(more, kind, length)).toBeGreaterThanOrEqual(firstAfter(less, kind, length));
      }),
      { numRuns: 150 },
    );
  });
});
