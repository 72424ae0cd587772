import { describe, expect, it } from '@jest/globals';
import { bestAbstinenceSeconds, resolveOpenStretches, settledGapsOf, stretchOf } from './gaps.ts';

const hour = 3_600_000;
/** Hours since some instant. */
const span = (
  date: number,
  [first, last]: [number, number],
  [gapFrom, gapTo]: [number, number],
  exact = true,
) => ({
  date,
  first: first * hour,
  last: last * hour,
  gapFrom: gapFrom * hour,
  gapTo: gapTo * hour,
  gapIsExact: exact,
});
const inHours = (stretch: ReturnType<typeof stretchOf>) =>
  stretch && [
    stretch.first / hour,
    stretch.last / hour,
    stretch.longestMs / hour,
    stretch.open.map(({ from, to, atMostMs }) => [from / hour, to / hour, atMostMs / hour]),
  ];

describe('gaps between puffs, by the spans of dates', () => {
  it.each([
    ['no date', [], null],
    ['dates one after the other', [span(1, [30, 40], [31, 35]), span(0, [8, 20], [9, 12])], [8, 40, 10, []]],
    ['a gap inside a date', [span(0, [0, 20], [2, 18]), span(1, [25, 26], [25, 26])], [0, 26, 16, []]],
    ['a split gap', [span(0, [0, 20], [2, 18], false)], [0, 20, 0, [[0, 20, 16]]]],
    [
      'a split gap that is no longer than one that is known',
      [span(0, [0, 20], [2, 8], false), span(1, [26, 30], [26, 29])],
      [0, 30, 6, []],
    ],
    [
      'a flight: dates that overlap in time',
      [span(0, [0, 20], [2, 10]), span(1, [15, 40], [20, 39]), span(2, [45, 46], [45, 46])],
      [0, 46, 5, [[0, 40, 19]]],
    ],
    ['dates that touch', [span(0, [0, 20], [2, 10]), span(1, [20, 22], [20, 22])], [0, 22, 8, []]],
  ])('of %s', (_what, spans, expected) => {
    expect(inHours(stretchOf(spans))).toEqual(expected);
  });

  it('are read from the records only where a longer one is possible', async () => {
    const stretch = stretchOf([
      span(0, [0, 20], [2, 18], false),
      span(1, [21, 40], [22, 36], false),
      span(2, [41, 60], [42, 45], false),
    ]);
    const asked: number[] = [];
    const read = ({ from }: { from: number }) => {
      asked.push(from / hour);
      return Promise.resolve(13.5 * hour);
    };
    expect(await resolveOpenStretches(stretch!, 17 * hour, read)).toBe(stretch);
    expect(inHours(await resolveOpenStretches(stretch!, 15 * hour, read))).toEqual([
      0,
      60,
      13.5,
      [[21, 40, 14]],
    ]);
    expect(asked).toEqual([0]);
  });

  it('settle up to a date that no later one overlaps', () => {
    const spans = [span(8, [0, 10], [0, 10]), span(9, [20, 60], [20, 50]), span(10, [58, 70], [60, 70])];
    expect(settledGapsOf(spans, 10).through).toBe(10);
    expect(settledGapsOf(spans, 9)).toMatchObject({ through: 8, stretch: { last: 10 * hour } });
    expect(settledGapsOf(spans, 7)).toEqual({ through: 7, stretch: null });
  });

  it('settle nothing where every date overlaps the next one, in linear time', () => {
    let looks = 0;
    const spans = Array.from({ length: 1_000 }, (_, date) => ({
      ...span(date, [24 * date, 24 * date + 47], [24 * date, 24 * date + 47]),
      get date() {
        looks += 1;
        return date;
      },
    }));
    expect(settledGapsOf(spans, 990)).toEqual({ through: -1, stretch: null });
    expect(looks).toBeLessThan(5 * spans.length);
  });

  it.each([
    ['nothing that counts', { currentSeconds: null, firstPuffAt: null, quitAt: null }, null],
    ['a longer gap of before', { currentSeconds: 3_600, longestMs: 2 * hour + 999 }, 7_200],
    ['the one that runs', { currentSeconds: 10_000, longestMs: 2 * hour }, 10_000],
    [
      'the time from the quit to the first puff',
      { currentSeconds: 0, firstPuffAt: 9 * hour, quitAt: 0 },
      32_400,
    ],
    ['a quit that is planned', { currentSeconds: 5, firstPuffAt: 90 * hour, quitAt: 80 * hour }, 5],
    ['a quit after the first puff', { currentSeconds: 5, firstPuffAt: 3 * hour, quitAt: 7 * hour }, 5],
  ])('make the best abstinence: %s', (_what, parts, best) => {
    const none = { currentSeconds: 0, firstPuffAt: null, longestMs: 0, quitAt: null, now: 50 * hour };
    expect(bestAbstinenceSeconds({ ...none, ...parts })).toBe(best);
  });
});
