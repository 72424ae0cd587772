import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dayMs, hourMs, minuteMs } from '../../domain/durations.ts';
import { dueWindow, lastDue, windowOfDate } from './schedule.ts';

const at = (text: string) => Date.parse(text);
const nightly = { everyMs: dayMs, offsetMs: 2 * hourMs + 30 * minuteMs };

describe('the schedule of a job', () => {
  it('is due at its hour, and until then since yesterday', () => {
    expect(lastDue(nightly, at('2026-10-21T02:30:00Z'))).toBe(at('2026-10-21T02:30:00Z'));
    expect(lastDue(nightly, at('2026-10-21T02:29:59.999Z'))).toBe(at('2026-10-20T02:30:00Z'));
  });

  it('begins with one period, catches up after any stop, and is then quiet', () => {
    const now = at('2026-10-21T10:00:00Z');
    expect(dueWindow(nightly, undefined, now)).toEqual({
      from: at('2026-10-20T02:30:00Z'),
      to: at('2026-10-21T02:30:00Z'),
    });
    expect(dueWindow(nightly, at('2026-10-11T02:30:00Z'), now)).toEqual({
      from: at('2026-10-11T02:30:00Z'),
      to: at('2026-10-21T02:30:00Z'),
    });
    expect(dueWindow(nightly, at('2026-10-21T02:30:00Z'), now)).toBeUndefined();
  });

  it('is quiet while a clock that was set back catches up', () => {
    expect(dueWindow(nightly, at('2026-10-22T02:30:00Z'), at('2026-10-21T10:00:00Z'))).toBeUndefined();
  });

  it('has windows that join without a gap, whenever somebody looks', () => {
    const looks = fc.array(fc.integer({ min: 0, max: 100 * hourMs }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(looks, fc.integer({ min: 1, max: 10 }), (times, quarters) => {
        const schedule = { everyMs: quarters * 15 * minuteMs, offsetMs: 5 * minuteMs };
        const windows: { from: number; to: number }[] = [];
        for (const now of times.sort((a, b) => a - b)) {
          const window = dueWindow(schedule, windows.at(-1)?.to, now);
          if (window) windows.push(window);
          expect(windows.at(-1)?.to).toBe(lastDue(schedule, now));
        }
        expect(windows.slice(1).map(({ from }) => from)).toEqual(windows.slice(0, -1).map(({ to }) => to));
      }),
    );
  });

  it('runs by hand for a date, as far as it has come', () => {
    const now = at('2026-10-21T10:00:00Z');
    expect(windowOfDate('2026-10-20', now)).toEqual({ from: at('2026-10-20'), to: at('2026-10-21') });
    expect(windowOfDate('2026-10-21', now)).toEqual({ from: at('2026-10-21'), to: now });
    for (const wrong of ['2026-10-22', '2026-02-30', 'yesterday', '2026-1-1'])
      expect(() => windowOfDate(wrong, now)).toThrow(RangeError);
  });
});
