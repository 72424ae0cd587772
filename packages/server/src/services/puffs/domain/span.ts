/**
 * The live puffs of one wall date in time; instants in ms. While `gapIsExact`, `gapFrom`..`gapTo` is the longest stretch
 * between two neighbours. A puff that lands inside it leaves only its length, as what no stretch exceeds.
 */
export interface Span {
  first: number;
  last: number;
  gapFrom: number;
  gapTo: number;
  gapIsExact: boolean;
}

/** The span of a single puff. */
export const spanAt = (instant: number): Span => ({
  first: instant,
  last: instant,
  gapFrom: instant,
  gapTo: instant,
  gapIsExact: true,
});

/**
 * Adds a puff in place, at the same cost whatever came before. Example: puffs at 8:00 and 12:00 have the gap 8..12; one
 * at 9:00 splits it, and whether 9..12 is the longest now is not known without the others; one at 17:00 knows 12..17.
 */
export const addToSpan = (span: Span, instant: number): void => {
  if (instant > span.last) {
    offerGap(span, span.last, instant);
    span.last = instant;
  } else if (instant < span.first) {
    offerGap(span, instant, span.first);
    span.first = instant;
  } else if (instant > span.gapFrom && instant < span.gapTo) {
    span.gapIsExact = false;
  }
};

const offerGap = (span: Span, from: number, to: number) => {
  if (to - from < span.gapTo - span.gapFrom) return;
  span.gapFrom = from;
  span.gapTo = to;
  span.gapIsExact = true;
};
