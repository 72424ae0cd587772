import { wallClockAt, type WallClock } from '../src/domain/time-zones.ts';
import { type DayNumber, dayOf, localDayOf } from '../src/domain/local-day.ts';
import type { PuffHistory } from '../src/services/puffs/index.ts';

export interface RawPuff {
  /** ms */
  readonly timestamp: number;
  readonly timeZone: string;
  readonly quantity: number;
  /** ms; at once where it is left out. */
  readonly receivedAt?: number;
}

const lateMs = 48 * 3_600_000;

/** A person's puffs as a list, and histories of it as the service puffs gives them. */
export interface TestHistory extends PuffHistory {
  add(puff: RawPuff): void;
  /** The same puffs with the days from this one on loaded, and no others; it is live. */
  loadedFrom(day: DayNumber): PuffHistory;
}

/** Of instants in ascending order. */
const spanOf = (instants: readonly number[]) => {
  const [first = 0, last = 0] = [instants[0], instants.at(-1)];
  let [gapFrom, gapTo] = [first, first];
  instants.forEach((instant, index) => {
    const before = instants[index - 1] ?? instant;
    if (instant - before > gapTo - gapFrom) [gapFrom, gapTo] = [before, instant];
  });
  return { first, last, gapFrom, gapTo, gapIsExact: true };
};

export const historyOf = (puffs: readonly RawPuff[]): TestHistory => {
  type Recorded = RawPuff & { rev: number; wall: WallClock };
  const records: Recorded[] = [];
  /** By dayStartHour, until a puff is added. */
  const sorted = new Map<number, Map<DayNumber, Recorded[]>>();
  const byDay = (dayStartHour: number) => {
    const known = sorted.get(dayStartHour);
    if (known) return known;
    const days = new Map<DayNumber, Recorded[]>();
    for (const record of records) {
      const day = localDayOf(record.wall, dayStartHour);
      days.set(day, [...(days.get(day) ?? []), record]);
    }
    sorted.set(dayStartHour, days);
    return days;
  };
  const add = (puff: RawPuff) => {
    sorted.clear();
    records.push({ ...puff, rev: records.length + 1, wall: wallClockAt(puff.timeZone, puff.timestamp) });
  };
  puffs.forEach(add);
  const sum = (some: readonly RawPuff[]) => some.reduce((total, { quantity }) => total + quantity, 0);

  const viewFrom = (first: DayNumber): PuffHistory => {
    const on = (day: DayNumber, dayStartHour: number) => {
      if (day < first) throw new RangeError(`${dayOf(day)} is not loaded`);
      return byDay(dayStartHour).get(day) ?? [];
    };
    return {
      get rev() {
        return records.length;
      },
      get total() {
        return sum(records);
      },
      get records() {
        return records.length;
      },
      get lastPuffAt() {
        return records.length === 0 ? null : Math.max(...records.map(({ timestamp }) => timestamp));
      },
      isLoadedFrom: (day) => day >= first,
      changedThrough: (day) =>
        Math.max(0, ...records.filter(({ wall }) => wall.dayNumber <= day + 1).map(({ rev }) => rev)),
      countOn: (day, dayStartHour) => sum(on(day, dayStartHour)),
      hoursOn: (day, dayStartHour) =>
        Array.from({ length: 24 }, (_, hour) =>
          sum(on(day, dayStartHour).filter(({ wall }) => wall.hour === hour)),
        ),
      marksOn(day, dayStartHour) {
        const puffs = on(day, dayStartHour);
        const isLate = ({ timestamp, receivedAt = timestamp }: RawPuff) => receivedAt - timestamp > lateMs;
        return { lateOnly: puffs.length > 0 && puffs.every(isLate), lateRemoval: false };
      },
      spans(from) {
        const instants = new Map<DayNumber, number[]>();
        for (const { wall, timestamp } of records)
          instants.set(wall.dayNumber, [...(instants.get(wall.dayNumber) ?? []), timestamp]);
        return [...instants]
          .filter(([date]) => date >= Math.max(from, first))
          .map(([date, some]) => ({ date, ...spanOf(some.sort((a, b) => a - b)) }))
          .sort((a, b) => a.date - b.date);
      },
      activeDays: (dayStartHour) =>
        [...byDay(dayStartHour).keys()].filter((day) => day >= first).sort((a, b) => a - b),
    };
  };
  // Not spread: the getters have to stay.
  return Object.assign(viewFrom(-Infinity), { add, loadedFrom: viewFrom });
};
