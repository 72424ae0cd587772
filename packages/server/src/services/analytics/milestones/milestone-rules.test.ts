import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { milestoneKinds } from '@pufftrack/contract';
import { dayNumberOf, dayOf, type DayNumber } from '../../puffs/index.ts';
import { calendarOf, type Calendar } from '../goals/calendar.ts';
import { evidenceNow, milestoneDays, reachedIn, recentRuns, type Reached } from './milestone-rules.ts';
import { newRun } from '../streaks/streaks.ts';

const first = dayNumberOf('2026-03-01');
const limit = 3;

/** From `first` on, with a limit of 3 all the time. */
const calendarWith = (days: { checkIns?: DayNumber[]; skipped?: DayNumber[] } = {}): Calendar =>
  calendarOf(
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
    first + 500,
  );

/** The runs of `counts`, which begin on `first`, as they stand after the last of them. */
const runsAfter = (calendar: Calendar, counts: readonly number[]) =>
  recentRuns(
    calendar,
    { puffFree: newRun(), puffFreeHasBegun: false, underLimit: newRun() },
    { from: first, through: first + counts.length - 1, countOn: countsOf(counts) },
  );
const countsOf = (counts: readonly number[]) => (day: DayNumber) => counts[day - first] ?? 0;

/** What is given day by day, with the number of days after which it is. */
const givenOver = (calendar: Calendar, counts: readonly number[]): (Reached & { after: number })[] => {
  const given: (Reached & { after: number })[] = [];
  for (let after = 1; after <= counts.length; after++) {
    const sofar = counts.slice(0, after);
    for (const run of runsAfter(calendar, sofar))
      for (const one of reachedIn(calendar, run, { given, countOn: countsOf(sofar) }))
        given.push({ ...one, after });
  }
  return given;
};
const told = (given: readonly Reached[]) =>
  given.map(({ kind, days, from, to }) => `${days} ${kind} ${dayOf(from).slice(5)}..${dayOf(to).slice(5)}`);
const quiet = (days: number) => new Array<number>(days).fill(0);

describe('milestones', () => {
  it('are for days alone', () => {
    expect(milestoneDays).toEqual({
      abstinence: [1, 3, 7, 14, 30, 60, 90, 180, 365],
      'under-limit': [3, 7, 14, 30],
    });
  });

  it('are reached once for a run, on the day that fills it', () => {
    expect(told(givenOver(calendarWith(), [5, ...quiet(7)]))).toEqual([
      '1 abstinence 03-02..03-02',
      '3 abstinence 03-02..03-04',
      '3 under-limit 03-02..03-04',
      '7 abstinence 03-02..03-08',
      '7 under-limit 03-02..03-08',
    ]);
  });

  it('begin anew after a puff; at the limit is within it', () => {
    expect(told(givenOver(calendarWith(), [3, 0, 3, 0, 4, 0]))).toEqual([
      '1 abstinence 03-02..03-02',
      '3 under-limit 03-01..03-03',
      '1 abstinence 03-04..03-04',
      '1 abstinence 03-06..03-06',
    ]);
  });

  it('do not count a day that hardly was', () => {
    const calendar = calendarWith({ skipped: [first + 2] });
    const given = givenOver(calendar, [5, 0, 0, 0]);
    expect(told(given)).toEqual(['1 abstinence 03-02..03-02']);
    expect(told(givenOver(calendar, [5, 0, 0, 0, 0]))).toContain('3 abstinence 03-02..03-05');
  });

  it('are confirmed where something is known of each day', () => {
    const confirmed = (checkIns: DayNumber[]) =>
      givenOver(calendarWith({ checkIns }), [5, 0, 0, 0])
        .filter(({ kind }) => kind === 'abstinence')
        .map(({ isConfirmed }) => isConfirmed);
    expect(confirmed([])).toEqual([false, false]);
    expect(confirmed([first + 1])).toEqual([true, false]);
    expect(confirmed([first + 1, first + 2, first + 3])).toEqual([true, true]);
  });

  it('look back for a week, for the time that no worker ran', () => {
    const after = (days: number) =>
      runsAfter(calendarWith(), [5, ...quiet(3), 9, ...new Array<number>(days).fill(9)]);
    expect(after(5).map(({ kind }) => kind)).toEqual(['abstinence', 'under-limit']);
    expect(after(6)).toEqual([]);
  });

  it('hold while their days say so', () => {
    const calendar = calendarWith({ checkIns: [first + 1, first + 2, first + 3] });
    const evidence = { days: 3, from: first + 1, to: first + 3, isConfirmed: true };
    const now = (kind: Reached['kind'], counts: number[]) =>
      evidenceNow(calendar, { ...evidence, kind }, countsOf(counts));
    expect(now('abstinence', [5, 0, 0, 0, 5])).toEqual({ isConfirmed: true });
    expect(now('abstinence', [5, 0, 1, 0])).toBeUndefined();
    expect(now('under-limit', [5, 0, 3, 0])).toEqual({ isConfirmed: true });
    expect(now('under-limit', [5, 0, 4, 0])).toBeUndefined();
    expect(evidenceNow(calendarWith(), { ...evidence, kind: 'abstinence' }, countsOf([]))).toEqual({
      isConfirmed: false,
    });
  });

  it('are never more, or earlier, or of more days, for more puffs (STORE-1)', () => {
    const day = fc.record({
      count: fc.constantFrom(0, 0, 0, 0, 1, 3, 4),
      more: fc.constantFrom(0, 0, 0, 1, 2, 5),
    });
    const checkIns = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(day, { minLength: 3, maxLength: 45 }), checkIns, (days, said) => {
        const calendar = calendarWith({ checkIns: said.map((index) => first + index) });
        // Both have begun to record.
        const less = givenOver(calendar, [1, ...days.map(({ count }) => count)]);
        const more = givenOver(calendar, [1, ...days.map((one) => one.count + one.more)]);
        const firstAfter = (given: typeof less, kind: Reached['kind'], length: number) =>
          Math.min(
            ...given.filter((one) => one.kind === kind && one.days === length).map(({ after }) => after),
          );
        for (const kind of milestoneKinds)
          for (const length of milestoneDays[kind])
            expect(firstAfter(more, kind, length)).toBeGreaterThanOrEqual(firstAfter(less, kind, length));
      }),
      { numRuns: 150 },
    );
  });
});
