import type { Clock } from '@pufftrack/server';

/** A clock that stands until it is moved. */
export interface TestClock extends Clock {
  set(instant: string | number): void;
  advance(ms: number): void;
}

export const createTestClock = (instant: string | number): TestClock => {
  const msOf = (value: string | number) => (typeof value === 'number' ? value : Date.parse(value));
  let now = msOf(instant);
  return {
    now: () => now,
    set(value) {
      now = msOf(value);
    },
    advance(ms) {
      now += ms;
    },
  };
};
