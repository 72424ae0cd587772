import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import { createKeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { monthOf, type DayNumber } from '../../../domain/local-day.ts';
import type { LogRecord } from '../domain/log-record.ts';
import { PuffState } from './puff-state.ts';
import type { PuffStore } from '../log/puff-store.ts';
import type { RecountStore } from './recount-store.ts';

const pageSize = 5_000;
const dayMs = 86_400_000;
/** A new primary may show an older past for a moment; a log that stays behind its checkpoints is broken. */
const maxFruitlessReads = 500;

/** The states that this process holds. Any of them may be dropped at any time: the log is the truth. */
export interface PuffStateCache {
  /** The state as this process knows it; it may be behind other processes. */
  peek(person: string): PuffState | undefined;
  /**
   * The state with everything counted that the log held when this was called, loaded from the month before the last
   * one on. For an earlier `from` it is a state of its own that nobody else holds: a whole life is not kept in memory.
   */
  getCurrent(person: string, from?: DayNumber): Promise<PuffState>;
  /** The same, with these wall months loaded. */
  getWithMonths(person: string, months: ReadonlySet<string>): Promise<PuffState>;
  /** Like `getCurrent`, with what was read for it beforehand; what was not is read here. */
  getWithPrefetched(person: string, ahead: Prefetched): Promise<PuffState>;
  drop(person: string): void;
}

/** What was read of a person together with others; it may be old by the time it is used. */
export interface Prefetched {
  /** The state of the checkpoint; used where this process holds none. */
  readonly stored?: PuffState | undefined;
  /** Everything that the log held after a number. */
  readonly log?: { readonly after: number; readonly records: readonly LogRecord[] } | undefined;
}

/** A change was stripped that this state had not folded: only a state of after the stripping can be right. */
class StrippedContentError extends Error {}

export const createPuffStateCache = (deps: {
  store: PuffStore;
  recounts: RecountStore;
  checkpoints: CheckpointStore;
  /** Tells the flusher that a fold moved the state. */
  onChange: (person: string, state: PuffState) => void;
  /** Nothing is kept of a person who was erased. */
  isErased?: (person: string) => boolean;
  clock: Clock;
  maxPeople: number;
}): PuffStateCache => {
  const { store, recounts, checkpoints, onChange, clock } = deps;
  const states = new LRUCache<string, PuffState>({ max: deps.maxPeople });
  /** Work on one state goes one at a time; what has waited too long is refused, so that no queue grows without end. */
  const runExclusive = createKeyedMutex(clock);
  /** A plain question that waits for its turn; those that come before it begins share its answer. */
  const asked = new Map<string, Promise<PuffState>>();

  /** Folds the log after the state's number; a number that a crash left out is filled before going past it. */
  const catchUp = async (
    person: string,
    state: PuffState,
    { fromScratch = false, ahead }: { fromScratch?: boolean; ahead?: Prefetched['log'] } = {},
  ): Promise<void> => {
    let known = ahead && ahead.after <= state.rev ? ahead.records : undefined;
    for (let fruitless = 0; fruitless < maxFruitlessReads; fruitless++) {
      const before = state.rev;
      const records = known ?? (await store.readAfter(person, state.rev, pageSize));
      known = undefined;
      let metChange = false;
      for (const record of records) {
        if (record.rev <= state.rev) continue;
        if (record.rev > state.rev + 1) {
          await store.fillGaps(person, numbersBetween(state.rev, record.rev));
          metChange = true; // the log has to be read again
          break;
        }
        if (record.kind === 'stripped' && !fromScratch) throw new StrippedContentError();
        if (record.kind === 'change') {
          metChange = true;
          state.foldChange(record, await recounts.applyChange(person, record, state));
        } else {
          state.fold(record);
        }
      }
      // A recount may have seen later changes: the fold is right only where there are none that it does not know.
      if (records.length < pageSize && !metChange && state.rev >= state.aheadOf) return;
      if (state.rev !== before) fruitless = 0;
    }
    throw new Error('the log does not reach what its checkpoints count');
  };

  /** Loads what is missing of these months; a row that is older than the month's last change is counted anew. */
  const loadMonths = async (person: string, state: PuffState, names: Iterable<string>): Promise<void> => {
    for (;;) {
      const missing = [...names].filter((name) => !state.isMonthLoaded(name));
      if (missing.length === 0) return;
      const rows = await checkpoints.loadMonths(person, missing);
      for (const name of missing) {
        const changedAt = state.months.get(name);
        if (changedAt === undefined) continue;
        const row = rows.get(name);
        if (row && row.rev >= changedAt) {
          state.setMonth(name, row.dates, row.rev);
          continue;
        }
        const { rev, clearedRev } = state;
        const dates = await recounts.countMonth(person, name, { rev, clearedRev });
        // Puffs of this process may have been folded meanwhile; then the month is counted once more.
        if (state.months.get(name) !== changedAt) continue;
        state.setMonth(name, dates, rev);
        state.dirtyMonths.add(name); // its row is written anew
        state.dirty = true;
      }
    }
  };

  const bringUpToDate = async (
    person: string,
    state: PuffState,
    months: () => Iterable<string>,
    ahead?: Prefetched['log'],
  ) => {
    await loadMonths(person, state, months());
    await catchUp(person, state, { ahead });
    // What was folded may have named months that nobody has loaded, and their rows may be ahead.
    await loadMonths(person, state, months());
    if (state.aheadOf > state.rev) await catchUp(person, state);
  };

  /** From the log alone. Where content was removed in the meantime, what was read before and after may not fit. */
  const rebuild = async (person: string): Promise<PuffState> => {
    for (;;) {
      const strips = await checkpoints.countStrips(person);
      const state = new PuffState();
      await catchUp(person, state, { fromScratch: true });
      if ((await checkpoints.countStrips(person)) === strips) return state;
    }
  };

  const load = async (person: string, from: DayNumber): Promise<PuffState> => {
    const state = await checkpoints.load(person);
    try {
      await bringUpToDate(person, state, () => monthsFrom(state, from));
      return state;
    } catch (error) {
      if (error instanceof StrippedContentError) return rebuild(person);
      throw error;
    }
  };

  /** The state in memory, or a new one that stays there. */
  const held = async (
    person: string,
    months: (state: PuffState) => Iterable<string>,
    { stored, log }: Prefetched = {},
  ): Promise<PuffState> => {
    const known = states.get(person) ?? stored;
    const before = known?.rev;
    try {
      if (known) {
        await bringUpToDate(person, known, () => months(known), log);
        if (known === stored && !deps.isErased?.(person)) states.set(person, known);
        if (known.rev !== before || known.dirty) onChange(person, known);
        return known;
      }
    } catch (error) {
      if (!(error instanceof StrippedContentError)) throw error;
    }
    const state = await load(person, windowStart(clock.now()));
    const isLoaded = [...months(state)].every((name) => state.isMonthLoaded(name));
    if (!isLoaded) await bringUpToDate(person, state, () => months(state));
    if (deps.isErased?.(person)) return state;
    states.set(person, state);
    if (state.dirty) onChange(person, state);
    return state;
  };

  const ofWindow = (state: PuffState) => monthsFrom(state, windowStart(clock.now()));

  const current = (person: string): Promise<PuffState> => {
    const waiting = asked.get(person);
    if (waiting) return waiting;
    const answer = runExclusive(person, () => {
      asked.delete(person);
      return held(person, ofWindow);
    });
    asked.set(person, answer);
    // Refused before it began, it must not be shared any longer.
    answer.catch(() => {
      if (asked.get(person) === answer) asked.delete(person);
    });
    return answer;
  };

  return {
    peek: (person) => states.get(person),
    async getCurrent(person, from) {
      const state = await current(person);
      return from === undefined || state.isLoadedFrom(from) ? state : load(person, from);
    },
    getWithMonths: (person, months) => runExclusive(person, () => held(person, () => months)),
    getWithPrefetched: (person, ahead) => runExclusive(person, () => held(person, ofWindow, ahead)),
    drop(person) {
      states.delete(person);
    },
  };
};

/** The first day of the month before the last one (UTC), at `now` (ms). */
export const windowStart = (now: number): DayNumber => {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 2, 1) / dayMs;
};

const monthsFrom = (state: PuffState, from: DayNumber): string[] => {
  const first = monthOf(from);
  return [...state.months.keys()].filter((name) => name >= first);
};

/** The numbers strictly between two, at most a page of them. */
const numbersBetween = (from: number, to: number): number[] =>
  Array.from({ length: Math.min(to - from - 1, pageSize) }, (_, index) => from + 1 + index);
