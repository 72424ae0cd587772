import { describe, expect, it } from '@jest/globals';
import { dayMs } from '../../../domain/durations.ts';
import { dayNumberOf } from '../../../domain/local-day.ts';
import { calendarOf, dayRules, settledThrough, type DayRules } from './calendar.ts';
import type { Goal } from './goal-history.ts';

const today = dayNumberOf('2026-11-25');
const settled = settledThrough(today);
const goal = (parts: Partial<Goal> = {}): Goal => ({
  mode: 'reduce',
  dailyLimit: 10,
  plan: null,
  baselineDays: null,
  quitAt: null,
  quitDay: null,
  setAt: 0,
  effectiveDay: today - 3,
  ...parts,
});
const rules = (parts: Partial<DayRules> = {}): DayRules => ({
  goals: [],
  checkIns: new Set(),
  lateCheckIns: new Set(),
  skipped: new Set(),
  ...parts,
});

describe('dayRules', () => {
  it('separates check-ins that are too late for boards', () => {
    const settings = { timeZone: 'UTC', timeZones: [{ timeZone: 'UTC', from: 0 }], dayStartHour: 0 };
    const checkIns = [
      { day: today - 5, at: (today - 2) * dayMs },
      { day: today - 6, at: (today - 2) * dayMs },
    ];
    const { checkIns: all, lateCheckIns } = dayRules(settings, { goals: [], checkIns });
    expect([...all]).toEqual([today - 5, today - 6]);
    expect([...lateCheckIns]).toEqual([today - 6]);
  });
});

describe('calendarOf', () => {
  it('gives limits on open and on settled days', () => {
    const goals = [goal({ effectiveDay: settled - 5, dailyLimit: 20 }), goal()];
    const { limitOn, firstLimitDay } = calendarOf(0, rules({ goals }), today);
    const days = [settled - 6, settled - 5, settled + 1, today - 4, today - 3, today];
    expect(days.map(limitOn)).toEqual([null, 20, 20, 20, 10, 10]);
    expect(firstLimitDay).toBe(settled - 5);
  });

  it('gives the status of a day from its count, check-ins and skipped days', () => {
    const { statusOf } = calendarOf(
      0,
      rules({ checkIns: new Set([today - 2]), skipped: new Set([today - 1]) }),
      today,
    );
    const statuses = [today - 3, today - 2, today - 1].map((day) => statusOf(day, 0));
    expect(statuses).toEqual(['unknown', 'confirmed', 'skipped']);
    expect(statusOf(today - 1, 1)).toBe('confirmed');
  });

  it('starts puff-free days at the first check-in or the day of a past quit', () => {
    const quit = goal({ mode: 'quit', quitAt: 0, quitDay: today - 1, effectiveDay: today - 1 });
    const from = (parts: Partial<DayRules>) => calendarOf(0, rules(parts), today).puffFreeFrom;
    expect(from({})).toBe(Infinity);
    expect(from({ goals: [quit] })).toBe(today - 1);
    expect(from({ goals: [quit], checkIns: new Set([today - 9, today - 4]) })).toBe(today - 9);
  });

  it.each<[string, Partial<DayRules>, boolean]>([
    ['a goal of an open day', { goals: [goal()] }, true],
    ['a check-in of an open day', { checkIns: new Set([settled + 1]) }, true],
    ['a skipped open day', { skipped: new Set([today]) }, true],
    ['a late check-in', { lateCheckIns: new Set([settled]) }, true],
    ['a goal of a settled day', { goals: [goal({ effectiveDay: settled })] }, false],
    ['a check-in of a settled day', { checkIns: new Set([settled]) }, false],
    ['a skipped settled day', { skipped: new Set([settled]) }, false],
  ])('changes the settled key only with rules of settled days: %s', (_what, parts, isSame) => {
    const keyOf = (changed: Partial<DayRules>) => calendarOf(0, rules(changed), today).settledKey;
    expect(keyOf(parts) === keyOf({})).toBe(isSame);
  });

  it('changes the settled key with the start of the day', () => {
    expect(calendarOf(4, rules(), today).settledKey).not.toBe(calendarOf(0, rules(), today).settledKey);
  });
});
