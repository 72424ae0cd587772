import { expect } from '@jest/globals';
import { Board } from '@pufftrack/contract';
import fc from 'fast-check';
import { dayMs, hourMs } from '../src/domain/durations.ts';
import { boardDayOf } from '../src/services/analytics/boards/board-day.ts';
import {
  countsOnBoards,
  rankEntries,
  boardScoresOf,
  type BoardDay,
} from '../src/services/analytics/boards/board.ts';
import { calendarOf, dayRules } from '../src/services/analytics/goals/calendar.ts';
import { aggregateDays } from '../src/services/puffs/domain/day-aggregate.ts';
import { type DayNumber, monthOf } from '../src/domain/local-day.ts';
import { comesLate, editedPuff, newPuff, type NewPuff } from '../src/services/puffs/domain/puff.ts';
import { PuffState } from '../src/services/puffs/state/puff-state.ts';
import { removesLate } from '../src/services/puffs/domain/late-removals.ts';

const timeZone = 'Europe/Berlin';
/** Summer time ends on the third day. */
const weekStart = Date.UTC(2026, 9, 23) / dayMs;
const week = Array.from({ length: 7 }, (_, index) => weekStart + index);
/** Every day of the week has been over for more than 48 hours, for any start of the day. */
const muchLater = (weekStart + 10) * dayMs;

interface Kept {
  puff: NewPuff;
  /** ms; null while it lives. */
  deletedAt: number | null;
  cameLate: boolean;
}
interface Edit {
  target: number;
  kind: 'remove' | 'restore' | 'edit';
  quantity: number | undefined;
  hour: number | undefined;
}

const instant = fc.integer({ min: -36 * 4, max: 9 * 24 * 4 }).map((quarters) => quarters / 4);
const anyPuffs = fc.array(
  fc.record({
    hour: instant,
    quantity: fc.integer({ min: 1, max: 12 }),
    lateHours: fc.constantFrom(0, 0, 0, 40, 60),
    /** Deleted at once where it was received at once. */
    isRegretted: fc.constantFrom(false, false, false, true),
  }),
  { minLength: 1, maxLength: 25 },
);
const anyEdits = fc.array(
  fc.record({
    target: fc.nat(24),
    kind: fc.constantFrom<Edit['kind']>('remove', 'restore', 'edit', 'edit', 'edit'),
    quantity: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }),
    hour: fc.option(instant, { nil: undefined }),
  }),
  { maxLength: 12 },
);

const at = (hour: number) => weekStart * dayMs + hour * hourMs;

const recorded = ({
  hour,
  quantity,
  lateHours,
  isRegretted,
}: {
  hour: number;
  quantity: number;
  lateHours: number;
  isRegretted: boolean;
}): Kept => ({
  puff: {
    ...newPuff(
      { timestamp: new Date(at(hour)).toISOString(), quantity },
      { timeZone, product: 'vape' },
      at(hour) + lateHours * hourMs,
      'session',
    ),
  },
  deletedAt: isRegretted && lateHours === 0 ? at(hour) : null,
  cameLate: lateHours > 48,
});

/** The days of the week as boards evaluate them after these edits, the first of which is made at `muchLater`. */
const boardWeek = (
  puffs: readonly Kept[],
  edits: readonly Edit[],
  { dayStartHour, checkIns }: { dayStartHour: number; checkIns: readonly DayNumber[] },
): BoardDay[] => {
  const kept = puffs.map((each) => ({ ...each }));
  const taken: { target: string; puff: NewPuff }[] = [];
  edits.forEach(({ target, kind, quantity, hour }, index) => {
    const one = kept[target % kept.length];
    if (!one || (one.deletedAt !== null ? kind !== 'restore' : kind === 'restore')) return;
    const madeAt = muchLater + index * hourMs;
    const timestamp = hour === undefined ? undefined : new Date(at(hour)).toISOString();
    const edited = kind === 'edit' ? editedPuff(one.puff, { quantity, timestamp }, madeAt) : one.puff;
    const puff = { ...one.puff, ...edited };
    const before = one.deletedAt === null ? one.puff : null;
    if (before && removesLate(before, kind === 'remove' ? null : puff, madeAt))
      taken.push({ target: before.id, puff: before });
    one.cameLate = comesLate(one, puff, { at: madeAt, dayStartHour });
    one.puff = puff;
    one.deletedAt = kind === 'remove' ? madeAt : null;
  });
  const facts = aggregateDays(
    kept.flatMap(({ puff, deletedAt, cameLate }) => (deletedAt === null ? [{ ...puff, cameLate }] : [])),
    taken.map(({ target, puff }) => ({ ...puff, target })),
  );
  const state = new PuffState();
  for (const name of new Set([...facts.keys()].map(monthOf))) {
    state.months.set(name, 1);
    state.setMonth(name, new Map([...facts].filter(([date]) => monthOf(date) === name)), 1);
  }
  const settings = { timeZone, timeZones: [{ from: -Infinity, timeZone }], dayStartHour };
  const rules = dayRules(settings, {
    goals: [],
    checkIns: checkIns.map((day) => ({ day, at: (day + 2) * dayMs })),
  });
  const calendar = calendarOf(dayStartHour, rules, weekStart + 10);
  return week.map((day) => ({ ...boardDayOf(calendar, state, day), limit: 6 }));
};

const uncounted = (day: BoardDay): BoardDay => ({ ...day, hasLateRemovals: true });

/**
 * Edits, deletions and restores more than 48 hours after a week never make a day count, and no day that still counts has
 * fewer puffs than before. So over the same days the rank is never better than without them.
 */
export const expectLateEditsNeverToHelp = (numRuns: number): void => {
  const settings = fc.record({
    dayStartHour: fc.constantFrom(0, 0, 4, 13),
    checkIns: fc.subarray(week),
  });
  const others = fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 4 });
  fc.assert(
    fc.property(anyPuffs, anyEdits, settings, others, (raw, edits, judged, theirs) => {
      const puffs = raw.map(recorded);
      const [before, after] = [boardWeek(puffs, [], judged), boardWeek(puffs, edits, judged)];
      const sameDays = before.map((day, index) => {
        const now = after[index];
        if (!now || !countsOnBoards(now)) return uncounted(day);
        expect(countsOnBoards(day)).toBe(true);
        expect(now.count).toBeGreaterThanOrEqual(day.count);
        return day;
      });
      for (const board of Board.options) {
        const placed = (days: readonly BoardDay[]) => {
          const score = boardScoresOf({ days, accountDays: 100, baseline: 8 })[board];
          const listed = [
            { userId: 'me', name: null, score },
            ...theirs.map((value, index) => ({
              userId: String(index),
              name: null,
              score: { value: value / 10 },
            })),
          ];
          return rankEntries(listed).find(({ userId }) => userId === 'me');
        };
        const [honest, edited] = [placed(sameDays), placed(after)];
        expect(edited?.rank == null).toBe(honest?.rank == null);
        expect(edited?.value ?? 0).toBeLessThanOrEqual(honest?.value ?? 0);
        expect(edited?.rank ?? 0).toBeGreaterThanOrEqual(honest?.rank ?? 0);
      }
    }),
    { numRuns },
  );
};
