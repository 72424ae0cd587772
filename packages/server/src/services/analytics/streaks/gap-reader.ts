import { LRUCache } from 'lru-cache';
import type { DayNumber, Moment } from '../../puffs/index.ts';
import { longestGapSince } from './day-gaps.ts';
import { longestGapMs } from './gaps.ts';

const maxPeople = 20_000;

/** Instants in ms, both included. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Longest gaps (ms) by the records of one person at one number of the log. */
export interface PersonGaps {
  between(range: Range): Promise<number>;
  /** From the first puff of a local day on, which lies in the range with all later ones; 0 where it has gone meanwhile. */
  ofDay(day: DayNumber, dayStartHour: number, range: Range): Promise<number>;
}

export type GapReader = (userId: string, rev: number) => PersonGaps;

/** Reads records, and remembers what was found in them until the log moves. */
export const createGapReader = (deps: {
  /** puffs: the live puffs between two instants, oldest first. */
  momentsBetween: (userId: string, range: Range) => Promise<Moment[]>;
}): GapReader => {
  const kept = new LRUCache<string, { rev: number; found: Map<string, number> }>({ max: maxPeople });

  return (userId, rev) => {
    const remembered = async (key: string, { from, to }: Range, find: (moments: Moment[]) => number) => {
      const known = kept.get(userId);
      const found = known?.rev === rev ? known.found : new Map<string, number>();
      const before = found.get(key);
      if (before !== undefined) return before;
      const gap = find(await deps.momentsBetween(userId, { from, to }));
      found.set(key, gap);
      kept.set(userId, { rev, found });
      return gap;
    };
    return {
      between: (range) =>
        remembered(`${range.from}..${range.to}`, range, (moments) =>
          longestGapMs(moments.map(({ timestamp }) => timestamp)),
        ),
      ofDay: (day, dayStartHour, range) =>
        remembered(
          `${day}+${dayStartHour}`,
          range,
          (moments) => longestGapSince(moments, day, dayStartHour) ?? 0,
        ),
    };
  };
};
