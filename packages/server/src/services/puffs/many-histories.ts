import type { CheckpointStore } from './checkpoint-store.ts';
import { monthOf, type DayNumber } from './local-day.ts';
import type { ManyLogsStore } from './many-logs-store.ts';
import type { PuffPeople } from './puff-people.ts';
import type { PuffState } from './puff-state.ts';

/** Of all people together; more is read person by person. */
const maxRecords = 5_000;

/**
 * The states of many people in at most three commands, whatever their number: the checkpoints of those that this
 * process does not hold (totals, then months), and what all logs hold beyond that. A person of whom that says too
 * little, for example with a hole in the log, asks alone.
 */
export const createManyHistories =
  (deps: {
    logs: Pick<ManyLogsStore, 'readAfterEach'>;
    checkpoints: CheckpointStore;
    people: PuffPeople;
    /** Days before this one need not be loaded. */
    windowStart: () => DayNumber;
  }) =>
  /** Each state counts everything up to the number given, at least. */
  async (wanted: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, PuffState>> => {
    const { logs, checkpoints, people } = deps;
    const from = deps.windowStart();
    const found = new Map<string, PuffState>();
    const held = new Map<string, PuffState>();
    const absent: string[] = [];
    for (const [person, rev] of wanted) {
      const state = people.peek(person);
      if (!state) absent.push(person);
      else if (state.rev >= rev && isComplete(state, from)) found.set(person, state);
      else held.set(person, state);
    }
    const stored = await loadStored(checkpoints, absent, monthOf(from));
    const revs = new Map([...held, ...stored].map(([person, { rev }]) => [person, rev]));
    const behind = new Map([...revs].filter(([person, rev]) => rev < (wanted.get(person) ?? 0)));
    const read = await logs.readAfterEach(behind, maxRecords);
    await Promise.all(
      [...revs].map(async ([person, after]) => {
        const records = behind.has(person) ? read?.get(person) : [];
        found.set(
          person,
          await people.currentWithAhead(person, {
            stored: stored.get(person),
            log: records && { after, records },
          }),
        );
      }),
    );
    return found;
  };

/** Between two steps of a fold the sums of a state may be ahead of its totals; then it has to be waited for. */
const isComplete = (state: PuffState, from: DayNumber): boolean =>
  state.isLoadedFrom(from) && state.aheadOf <= state.rev;

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
