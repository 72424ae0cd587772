import type { DateSpan, DayNumber } from '../../puffs/index.ts';

/** A time whose longest gap is in the records alone; none in it is longer than `atMostMs`. */
export interface OpenStretch {
  readonly from: number;
  readonly to: number;
  readonly atMostMs: number;
}

/** The puffs of some wall dates in time; instants in ms. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
  /** The longest gap between two neighbours, those in `open` apart. */
  readonly longestMs: number;
  /** Where there may be a longer one; the longest first. */
  readonly open: readonly OpenStretch[];
}

/**
 * What spans tell of the gaps between neighbouring puffs. Dates that overlap in time (a flight) mix their puffs, and a
 * gap that was split is not known: both are left open. Null without a puff.
 */
export const stretchOf = (spans: readonly DateSpan[]): Stretch | null => {
  const [earliest, ...later] = [...spans].sort((a, b) => a.first - b.first).map(clusterOf);
  if (!earliest) return null;
  const clusters = [earliest];
  let current = earliest;
  for (const next of later) {
    if (next.from < current.to) {
      // Whatever lies between two neighbours of the mix lies in a gap of each date that it belongs to.
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
 * Looks into the records where a gap longer than `longerThanMs` may be, the likeliest first; what is left open then holds
 * none. The same object where there was nothing to look for.
 *
 * @param read the longest gap (ms) in a part of the records.
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

/** The settled part of a person's puffs: those of the wall dates up to `through`. */
export interface SettledGaps {
  readonly through: DayNumber;
  readonly stretch: Stretch | null;
}

/**
 * The puffs up to a settled day as a stretch of their own. It ends a day or two earlier where dates on both sides of the
 * day overlap in time; somebody who has told of every date from two ends of the world has none.
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
 * The longest abstinence ever, in whole seconds: between two puffs, the one that runs, or from the day they quit to their
 * first puff. Null where none runs (`currentSeconds`). A planned quit has not begun. Instants in ms.
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
