import type { CheckpointStore } from './checkpoint-store.ts';
import { monthOf, type DayNumber } from '../../../domain/local-day.ts';
import type { LogRecord } from '../domain/log-record.ts';
import type { BulkLogStore, RevRange } from '../log/bulk-log-store.ts';
import type { PuffStateCache } from './puff-state-cache.ts';
import type { PuffState } from './puff-state.ts';

/** At most so many records per query; a log with more to fold is read by a query of its own. */
const maxRecords = 5_000;

/**
 * The states of many people in three commands, whatever their number: the checkpoints of those that this process does
 * not hold (totals, then months), and what the logs hold beyond; one query per 5,000 records. A
 * person whose log has a sequence gap is read alone.
 */
export const createBulkHistories =
  (deps: {
    logs: Pick<BulkLogStore, 'readRanges'>;
    checkpoints: CheckpointStore;
    states: PuffStateCache;
    /** Days before this one need not be loaded. */
    windowStart: () => DayNumber;
  }) =>
  /** Each state counts everything up to the number given, at least. */
  async (wanted: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, PuffState>> => {
    const { logs, checkpoints, states } = deps;
    const from = deps.windowStart();
    const found = new Map<string, PuffState>();
    const held = new Map<string, PuffState>();
    const absent: string[] = [];
    for (const [person, rev] of wanted) {
      const state = states.peek(person);
      if (!state) absent.push(person);
      else if (state.rev >= rev && isComplete(state, from)) found.set(person, state);
      else held.set(person, state);
    }
    const stored = await loadStored(checkpoints, absent, monthOf(from));
    const ranges = new Map(
      [...held, ...stored].map(([person, { rev }]) => [
        person,
        { after: rev, upTo: wanted.get(person) ?? 0 },
      ]),
    );
    const fold = async (
      person: string,
      log: { after: number; records: readonly LogRecord[] } | undefined,
    ) => {
      found.set(person, await states.getWithPrefetched(person, { stored: stored.get(person), log }));
    };
    const { together, alone } = questionsFor(ranges);
    for (const question of together) {
      const read = await logs.readRanges(behindIn(question));
      await Promise.all(
        [...question].map(([person, { after }]) => fold(person, { after, records: read.get(person) ?? [] })),
      );
    }
    // One after the other: long logs leave connections to those who take puffs meanwhile.
    for (const person of alone) await fold(person, undefined);
    return found;
  };

/** Between two steps of a fold the sums of a state may be ahead of its totals; then it has to be waited for. */
const isComplete = (state: PuffState, from: DayNumber): boolean =>
  state.isLoadedFrom(from) && state.aheadOf <= state.rev;

type Ranges = ReadonlyMap<string, RevRange>;

const recordsIn = ({ after, upTo }: RevRange) => Math.max(0, upTo - after);

const behindIn = (ranges: Ranges): Ranges => new Map([...ranges].filter(([, range]) => recordsIn(range) > 0));

/** Ranges put together so that no question is answered by more than `maxRecords`. */
const questionsFor = (ranges: Ranges): { together: Ranges[]; alone: string[] } => {
  const together: Map<string, RevRange>[] = [];
  const alone: string[] = [];
  let room = 0;
  for (const [person, range] of ranges) {
    const records = recordsIn(range);
    if (records > maxRecords) {
      alone.push(person);
      continue;
    }
    if (together.length === 0 || records > room) {
      together.push(new Map());
      room = maxRecords;
    }
    together.at(-1)?.set(person, range);
    room -= records;
  }
  return { together, alone };
};

/** States as last written, with those months from `firstMonth` on whose row is new enough. */
const loadStored = async (
  checkpoints: CheckpointStore,
  people: readonly string[],
  firstMonth: string,
): Promise<ReadonlyMap<string, PuffState>> => {
  const states = await checkpoints.loadMany(people);
  const names = new Map(
    [...states].map(([person, { months }]) => [
      person,
      [...months.keys()].filter((name) => name >= firstMonth),
    ]),
  );
  for (const [person, rows] of await checkpoints.loadMonthsOfMany(names)) {
    const state = states.get(person);
    for (const [name, { rev, dates }] of rows)
      if (rev >= (state?.months.get(name) ?? Infinity)) state?.setMonth(name, dates, rev);
  }
  return states;
};
