import { LRUCache } from 'lru-cache';
import type { DayNumber } from '../../../domain/local-day.ts';
import type { Moment } from '../../puffs/index.ts';
import type { PuffHistories } from '../ports.ts';
import { longestGapSince } from './day-gaps.ts';
import { longestGapMs } from './gaps.ts';

const maxPeople = 20_000;

/** Instants in ms, both included. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** The longest gaps (ms) in the records of one person at one revision of the log. */
export interface PersonGaps {
  between(range: Range): Promise<number>;
  /**
   * From the first puff of a local day on. The range contains it and all later puffs. 0 where that puff was deleted
   * meanwhile.
   */
  ofDay(day: DayNumber, dayStartHour: number, range: Range): Promise<number>;
}

export type GapReader = (userId: string, rev: number) => PersonGaps;

/** Reads gaps from the records and caches them until the log grows. */
export const createGapReader = (deps: { puffs: Pick<PuffHistories, 'momentsBetween'> }): GapReader => {
  const cache = new LRUCache<string, { rev: number; found: Map<string, number> }>({ max: maxPeople });

  return (userId, rev) => {
    const cached = async (key: string, { from, to }: Range, find: (moments: Moment[]) => number) => {
      const known = cache.get(userId);
      const found = known?.rev === rev ? known.found : new Map<string, number>();
      const before = found.get(key);
      if (before !== undefined) return before;
      const gap = find(await deps.puffs.momentsBetween(userId, { from, to }));
      found.set(key, gap);
      cache.set(userId, { rev, found });
      return gap;
    };
    return {
      between: (range) =>
        cached(`${range.from}..${range.to}`, range, (moments) =>
          longestGapMs(moments.map(({ timestamp }) => timestamp)),
        ),
      ofDay: (day, dayStartHour, range) =>
        cached(
          `${day}+${dayStartHour}`,
          range,
          (moments) => longestGapSince(moments, day, dayStartHour) ?? 0,
        ),
    };
  };
};
