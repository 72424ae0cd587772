import { describe, expect, it } from '@jest/globals';
import { run, type Outcome, type Scenario } from './model.ts';
import type { Rules } from './rules.ts';

/** The rarest fault shows once in some 600 interleavings. */
const maxTries = 4_000;

const firstRun = (scenario: Scenario, matches: (outcome: Outcome) => boolean): Outcome | undefined => {
  for (let seed = 0; seed < maxTries; seed++) {
    const outcome = run(seed, scenario);
    if (matches(outcome)) return outcome;
  }
  return undefined;
};

const runs = (count: number, scenario: Scenario = {}): Outcome[] =>
  Array.from({ length: count }, (_, seed) => run(seed, scenario));

const failures = (outcomes: Outcome[]): string[] =>
  outcomes.flatMap(({ seed, failure }) => (failure === undefined ? [] : [`seed ${seed}: ${failure}`]));

const without = (...rules: (keyof Rules)[]): Partial<Rules> =>
  Object.fromEntries(rules.map((rule) => [rule, false]));

const wrongSums = /; recount /;
const countedPastAGap = /the state is at \d+, the log has a gap/;

/** Rules that only save work: what they prevent, another rule repairs. */
const thrifty = [
  // The second copy fails on its `_id`, and its number becomes an empty record.
  'dedupeInGroup',
  // The same for each known id of a batch that is sent again.
  'queryExistingIds',
  // An older row than the person row names counts as missing (namedMonthRevs), and the load starts from the log.
  'guardMonthRow',
  'personRowReadFirst',
  // So does a row that a change of the primary lost.
  'rowsWaitForMajority',
  // The log after an older person row is longer; months skip what they cover (monthSkipsCovered).
  'guardPersonRow',
] as const satisfies (keyof Rules)[];

/** Rules with which and without which the protocol is equally right, and nothing of note is saved. */
const indifferent = [
  // What is in memory is right at its rev: the next group runs into the taken numbers and catches up.
  'dropStateOnUnknown',
  // A month without a name has nothing up to the person row's rev, and its row, if there is one, is right at its own.
  'onlyNamedMonths',
] as const satisfies (keyof Rules)[];

type Necessary = Exclude<keyof Rules, (typeof thrifty)[number] | (typeof indifferent)[number]>;

/** Every other rule, and what goes wrong without it alone. */
const faults: Record<Necessary, RegExp> = {
  fillGaps: countedPastAGap,
  unknownIsNotSuccess: countedPastAGap,
  skipFoldedRevs: wrongSums,
  waitForMajority: /was acknowledged with rev \d+, (then with|the log has)/,
  majorityReads: countedPastAGap,
  causalReads: wrongSums,
  operationIds: /is in the log twice/,
  targetWithinFold: wrongSums,
  recomputeEntry: /was made without knowing all before it/,
  guardEditRev: wrongSums,
  awaitApply: wrongSums,
  recountUpToRev: wrongSums,
  recountAboveDeleteAll: wrongSums,
  totalsFromEntry: wrongSums,
  rereadAfterEntry: wrongSums,
  foldBeforeList: /a list shows p\d+ without the entry/,
  copyInOneTick: wrongSums,
  monthsBeforePersonRow: wrongSums,
  dirtyUntilWritten: wrongSums,
  namedMonthRevs: wrongSums,
  missingMonthRebuilds: wrongSums,
  monthSkipsCovered: wrongSums,
  logReadLast: wrongSums,
};

describe('the write protocol of the puff log', () => {
  it(`is right in ${maxTries} random interleavings`, () => {
    expect(failures(runs(maxTries))).toEqual([]);
  });

  it.each(Object.entries(faults))('goes wrong without %s', (rule, fault) => {
    const wrong = firstRun({ rules: { [rule]: false } }, ({ failure = '' }) => fault.test(failure));
    expect(wrong?.failure).toMatch(fault);
  });

  it('stays right without all of the other rules', () => {
    const rules = without(...thrifty, ...indifferent);
    expect(failures(runs(500, { rules }))).toEqual([]);
  });

  it.each(['dedupeInGroup', 'queryExistingIds'] as const)(
    'fills twice as many numbers with empty records without %s',
    (rule) => {
      const emptyRecords = (rules: Partial<Rules>) =>
        runs(200, { rules }).reduce((sum, { empty }) => sum + empty, 0);
      expect(emptyRecords(without(rule))).toBeGreaterThan(2 * emptyRecords({}));
    },
  );

  it('puts older person rows over newer ones without guardPersonRow', () => {
    const setBack = firstRun({ rules: without('guardPersonRow') }, ({ costs }) => costs.setBacks > 0);
    expect(setBack).toMatchObject({ failure: undefined });
  });

  describe('without dropped rows', () => {
    const drops = false;

    it('never rebuilds a person from the whole log', () => {
      expect(runs(200, { drops }).filter(({ costs }) => costs.rebuilds > 0)).toEqual([]);
    });

    it.each(['guardMonthRow', 'personRowReadFirst', 'rowsWaitForMajority'] as const)(
      'rebuilds without %s',
      (rule) => {
        const rebuilt = firstRun({ drops, rules: without(rule) }, ({ costs }) => costs.rebuilds > 0);
        expect(rebuilt).toMatchObject({ failure: undefined });
      },
    );

    it.each(['guardMonthRow', 'personRowReadFirst'] as const)(
      'needs %s or the revs in the person row',
      (rule) => {
        const neither = without(rule, 'namedMonthRevs');
        const wrong = firstRun({ drops, rules: neither }, ({ failure = '' }) => wrongSums.test(failure));
        expect(wrong?.failure).toMatch(wrongSums);
        expect(failures(runs(200, { drops, rules: without('namedMonthRevs') }))).toEqual([]);
      },
    );
  });
});
