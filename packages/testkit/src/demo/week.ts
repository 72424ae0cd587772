/** One action of a person in the week. */
export interface Scene {
  /** ms */
  readonly at: number;
  readonly who: string;
  readonly what: 'puff' | 'puff-offline' | 'back-online';
  readonly quantity: number;
}

interface Habit {
  readonly who: string;
  readonly timeZone: string;
  /** Puffs of each day, the first on Friday 23 October. */
  readonly perDay: readonly number[];
  /** Waking hours on the person's wall, in hours after midnight UTC. */
  readonly wakesAtUtc: number;
  /** Days (counted from 0) that the phone spends without a network, until the evening. */
  readonly offlineDays: readonly number[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Friday before the clocks go back in Berlin (on 25 October, 03:00 to 02:00); New York follows on 1 November. */
export const firstDay = Date.parse('2026-10-23T00:00:00Z');

export const habits: readonly Habit[] = [
  {
    who: 'alice',
    timeZone: 'Europe/Berlin',
    perDay: [7, 6, 6, 5, 4, 3, 0, 2],
    wakesAtUtc: 5,
    offlineDays: [3],
  },
  {
    who: 'bob',
    timeZone: 'America/New_York',
    perDay: [4, 4, 5, 3, 3, 0, 0, 1],
    wakesAtUtc: 12,
    offlineDays: [],
  },
  {
    who: 'carla',
    timeZone: 'Asia/Kathmandu',
    perDay: [3, 5, 2, 4, 4, 3, 2, 0],
    wakesAtUtc: 1,
    offlineDays: [1, 2],
  },
];

/** Deterministic pseudorandom numbers (Park and Miller's generator). */
const chance = (seed: number) => {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
};

const scenesOf = (habit: Habit, seed: number): Scene[] => {
  const next = chance(seed);
  return habit.perDay.flatMap((count, day) => {
    const morning = firstDay + day * dayMs + habit.wakesAtUtc * hourMs;
    const offline = habit.offlineDays.includes(day);
    const puffs = Array.from({ length: count }, (_, index): Scene => {
      // Sixteen waking hours, cut into equal parts; one puff somewhere in each.
      const at = morning + Math.floor(((index + next()) * 16 * hourMs) / count);
      return {
        at,
        who: habit.who,
        what: offline ? 'puff-offline' : 'puff',
        quantity: next() < 0.15 ? 2 : 1,
      };
    });
    return offline
      ? [...puffs, { at: morning + 17 * hourMs, who: habit.who, what: 'back-online' as const, quantity: 0 }]
      : puffs;
  });
};

/** Alice is awake when the hour between two and three comes twice. */
const nightOfTheClockChange: readonly Scene[] = [
  { at: Date.parse('2026-10-25T00:30:00Z'), who: 'alice', what: 'puff', quantity: 1 },
  { at: Date.parse('2026-10-25T01:30:00Z'), who: 'alice', what: 'puff', quantity: 1 },
];

/** The week of all people, in chronological order. */
export const week = (): Scene[] =>
  [...habits.flatMap((habit, index) => scenesOf(habit, 20_261_025 + index)), ...nightOfTheClockChange].sort(
    (a, b) => a.at - b.at || a.who.localeCompare(b.who),
  );

export const lastMoment = firstDay + 8 * dayMs + 12 * hourMs;
