import type { DayNumber } from '../../../domain/local-day.ts';
import type { DateSpan } from '../../puffs/index.ts';

/** A span of time whose longest gap only the records tell. It is at most `atMostMs`. */
export interface OpenStretch {
  readonly from: number;
  readonly to: number;
  readonly atMostMs: number;
}

/** The puffs of some wall dates in time; instants in ms. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
  /** The longest gap between two neighbours outside `open`. */
  readonly longestMs: number;
  /** Where a longer gap is possible; the longest first. */
  readonly open: readonly OpenStretch[];
}

/**
 * The gaps between neighbouring puffs, as far as the spans of dates determine them. Dates that overlap in time (a flight)
 * mix their puffs, and the two parts of a split gap are unknown: both stay open. Null without a puff.
 */
export const stretchOf = (spans: readonly DateSpan[]): Stretch | null => {
  const [earliest, ...later] = [...spans].sort((a, b) => a.first - b.first).map(clusterOf);
  if (!earliest) return null;
  const clusters = [earliest];
  let current = earliest;
  for (const next of later) {
    if (next.from < current.to) {
      // A gap of the mix lies inside a gap of each of its dates, so the longest of those is the bound.
      current.to = Math.max(current.to, next.to);
      current.atMostMs = Math.max(current.atMostMs, next.atMostMs);
      current.isExact = false;
    } else {
      clusters.push(next);
      current = next;
    }
  }
  const between = clusters.slice(1).map(({ from }, index) => from - (clusters[index]?.to ?? from));
  const exact = clusters.flatMap(({ isExact, atMostMs }) => (isExact ? [atMostMs] : []));
  const longestMs = [...between, ...exact].reduce((longest, gap) => Math.max(longest, gap), 0);
  return {
    first: earliest.from,
    last: current.to,
    longestMs,
    open: clusters
      .filter(({ isExact, atMostMs }) => !isExact && atMostMs > longestMs)
      .map(({ from, to, atMostMs }) => ({ from, to, atMostMs }))
      .sort((a, b) => b.atMostMs - a.atMostMs),
  };
};

const clusterOf = ({ first, last, gapFrom, gapTo, gapIsExact }: DateSpan) => ({
  from: first,
  to: last,
  atMostMs: gapTo - gapFrom,
  isExact: gapIsExact,
});

/** The longest gap (ms) between neighbours of instants in ascending order. */
export const longestGapMs = (instants: readonly number[]): number =>
  instants.reduce(
    (longest, instant, index) => Math.max(longest, instant - (instants[index - 1] ?? instant)),
    0,
  );

/**
 * Reads the records of open stretches that can contain a gap longer than `longerThanMs`, the longest first. The stretches
 * that stay open contain none. Returns the same object where nothing had to be read.
 *
 * @param read returns the longest gap (ms) in the records of a stretch.
 */
export const resolveOpenStretches = async (
  stretch: Stretch,
  longerThanMs: number,
  read: (open: OpenStretch) => Promise<number>,
): Promise<Stretch> => {
  let found = stretch;
  for (;;) {
    const [next, ...others] = found.open;
    if (!next || next.atMostMs <= Math.max(found.longestMs, longerThanMs)) return found;
    const longestMs = Math.max(found.longestMs, await read(next));
    found = { ...found, longestMs, open: others.filter(({ atMostMs }) => atMostMs > longestMs) };
  }
};

/** The gaps of the settled past: between the puffs of the wall dates up to `through`. */
export interface SettledGaps {
  readonly through: DayNumber;
  readonly stretch: Stretch | null;
}

/**
 * The puffs up to a settled day as one stretch. It ends earlier where dates on both sides of the day overlap in time, and
 * is null where every date overlaps the next one.
 *
 * @param spans ascending by date.
 */
export const settledGapsOf = (spans: readonly DateSpan[], settledThrough: DayNumber): SettledGaps => {
  const lastUpTo: number[] = [];
  for (const { last } of spans) lastUpTo.push(Math.max(lastUpTo.at(-1) ?? -Infinity, last));
  let through = settledThrough;
  let count = spans.filter(({ date }) => date <= through).length;
  let firstAfter = spans.slice(count).reduce((earliest, { first }) => Math.min(earliest, first), Infinity);
  for (
    let span = spans[count - 1];
    span && (lastUpTo[count - 1] ?? 0) > firstAfter;
    span = spans[count - 1]
  ) {
    count -= 1;
    through = span.date - 1;
    firstAfter = Math.min(firstAfter, span.first);
  }
  return { through, stretch: stretchOf(spans.slice(0, count)) };
};

/**
 * The longest abstinence ever, in whole seconds: between two puffs, the current one, or from the quit to the first puff.
 * Null without a current one. A planned quit does not count. Instants in ms.
 */
export const bestAbstinenceSeconds = (abstinence: {
  currentSeconds: number | null;
  firstPuffAt: number | null;
  longestMs: number;
  quitAt: number | null;
  now: number;
}): number | null => {
  const { currentSeconds, firstPuffAt, longestMs, quitAt, now } = abstinence;
  if (currentSeconds === null) return null;
  const beforeFirst = firstPuffAt !== null && quitAt !== null && quitAt <= now ? firstPuffAt - quitAt : 0;
  return Math.max(currentSeconds, secondsOf(Math.max(longestMs, beforeFirst)));
};

export const secondsOf = (ms: number): number => Math.floor(ms / 1_000);
