import { describe, expect, it } from '@jest/globals';
import { addPuff, aggregateDays, type DatedPuff } from '../domain/day-aggregate.ts';
import { dayNumberOf } from '../../../domain/local-day.ts';
import { monthDocOf, aggregatesOfMonthDoc } from './month-doc.ts';

const hour = 3_600_000;
const date = dayNumberOf('2026-10-31');
const midnight = Date.UTC(2026, 9, 31);
const puff = (wallHour: number, parts: Partial<DatedPuff> = {}): DatedPuff => ({
  timestamp: midnight + wallHour * hour,
  wall: { dayNumber: date, hour: wallHour },
  quantity: 2,
  id: `at-${wallHour}`,
  cameLate: false,
  ...parts,
});
const rowOf = (dates: ReturnType<typeof aggregateDays>) =>
  monthDocOf({ person: 'alice', month: '2026-10', rev: 7 }, dates);

describe('the row of a month', () => {
  it('round-trips the aggregates of its dates', () => {
    const dates = aggregateDays(
      [
        puff(0, { timestamp: midnight - 14 * hour }),
        puff(8),
        puff(23, { timestamp: midnight + 36 * hour, cameLate: true }),
      ],
      [
        { ...puff(5, { wall: { dayNumber: date - 3, hour: 5 } }), target: 'gone' },
        { ...puff(23), target: 'gone too' },
      ],
    );
    const aggregate = dates.get(date);
    expect(aggregate?.span?.gapIsExact).toBe(true);
    expect(aggregatesOfMonthDoc(rowOf(dates))).toEqual(dates);
    if (aggregate) addPuff(aggregate, puff(20), false);
    expect(aggregate?.span?.gapIsExact).toBe(false);
    expect(aggregatesOfMonthDoc(rowOf(dates))).toEqual(dates);
    expect(Object.keys(rowOf(dates).days)).toEqual(['31']);
  });

  it('is ignored when an older version left outdated aggregates in it, or wrote none', () => {
    const row = rowOf(aggregateDays([puff(8)], []));
    expect(aggregatesOfMonthDoc(row)).toBeDefined();
    for (const which of ['factsRev', 'trimsRev'] as const) {
      const { [which]: known = 0, ...older } = row;
      expect(aggregatesOfMonthDoc(older)).toBeUndefined();
      expect(aggregatesOfMonthDoc({ ...older, [which]: known - 1 })).toBeUndefined();
    }
  });
});
