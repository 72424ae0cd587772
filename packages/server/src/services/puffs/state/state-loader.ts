import type { DayNumber } from '../../../domain/local-day.ts';
import { monthOf } from '../../../domain/local-day.ts';
import type { LogRecord } from '../domain/log-record.ts';
import type { ReadLimit } from '../log/fold-limit.ts';
import type { PuffStore } from '../log/puff-store.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { PuffState } from './puff-state.ts';
import type { RecountStore } from './recount-store.ts';

const pageSize = 5_000;
/** A new primary may show an older past for a moment; a log that stays behind its checkpoints is broken. */
const maxFruitlessReads = 500;

/** Everything that the log held after a number, read beforehand; it may be outdated by the time it is used. */
export interface PrefetchedLog {
  readonly after: number;
  readonly records: readonly LogRecord[];
}

/** A change was stripped that this state had not folded: only a state from after the stripping can be right. */
export class StrippedContentError extends Error {}

/** Brings states up to date with the log. Two calls for the same state must not overlap. */
export interface StateLoader {
  /** The state from its checkpoint and the log after it, with the months from `from` on loaded. */
  load(person: string, from: DayNumber): Promise<PuffState>;
  /** Folds what the log holds beyond the state, and loads these months. Throws StrippedContentError. */
  refresh(
    person: string,
    state: PuffState,
    months: () => Iterable<string>,
    log?: PrefetchedLog,
  ): Promise<void>;
}

export const createStateLoader = (deps: {
  store: Pick<PuffStore, 'readAfter' | 'fillGaps'>;
  recounts: Pick<RecountStore, 'applyChange' | 'countMonth'>;
  checkpoints: Pick<CheckpointStore, 'load' | 'loadMonths' | 'countStrips'>;
  limit: ReadLimit;
}): StateLoader => {
  const { store, recounts, checkpoints, limit } = deps;

  /** Folds the log after the state's number; a sequence gap that a crash left is filled before going past it. */
  const catchUp = async (
    person: string,
    state: PuffState,
    {
      fromScratch = false,
      prefetched,
    }: { fromScratch?: boolean; prefetched?: PrefetchedLog | undefined } = {},
  ): Promise<void> => {
    let known = prefetched && prefetched.after <= state.rev ? prefetched.records : undefined;
    for (let fruitless = 0; fruitless < maxFruitlessReads; fruitless++) {
      const before = state.rev;
      const records = known ?? (await store.readAfter(person, state.rev, pageSize, limit));
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
          state.foldChange(record, await recounts.applyChange(person, record, state, limit));
        } else {
          state.fold(record);
        }
      }
      // A recount may have counted later changes: the fold is right only once it knows them too.
      if (records.length < pageSize && !metChange && state.rev >= state.aheadOf) return;
      if (state.rev !== before) fruitless = 0;
    }
    throw new Error('the log does not reach what its checkpoints count');
  };

  /** Loads what is missing of these months; a row that is older than the month's last change is recounted. */
  const loadMonths = async (person: string, state: PuffState, names: Iterable<string>): Promise<void> => {
    for (;;) {
      const missing = [...names].filter((name) => !state.isMonthLoaded(name));
      if (missing.length === 0) return;
      const rows = await checkpoints.loadMonths(person, missing, limit);
      for (const name of missing) {
        const changedAt = state.months.get(name);
        if (changedAt === undefined) continue;
        const row = rows.get(name);
        if (row && row.rev >= changedAt) {
          state.setMonth(name, row.dates, row.rev);
          continue;
        }
        const { rev, clearedRev } = state;
        const dates = await recounts.countMonth(person, name, { rev, clearedRev }, limit);
        // Puffs of this process may have been folded meanwhile; then the month is counted once more.
        if (state.months.get(name) !== changedAt) continue;
        state.setMonth(name, dates, rev);
        state.dirtyMonths.add(name); // the next checkpoint replaces its row
        state.dirty = true;
      }
    }
  };

  const refresh: StateLoader['refresh'] = async (person, state, months, prefetched) => {
    await loadMonths(person, state, months());
    await catchUp(person, state, { prefetched });
    // The records may have named months that are not loaded, and the rows of those may be ahead.
    await loadMonths(person, state, months());
    if (state.aheadOf > state.rev) await catchUp(person, state);
  };

  /** From the log alone. If content is stripped meanwhile, earlier and later pages may not fit: it starts again. */
  const rebuild = async (person: string): Promise<PuffState> => {
    for (;;) {
      const strips = await checkpoints.countStrips(person, limit);
      const state = new PuffState();
      await catchUp(person, state, { fromScratch: true });
      if ((await checkpoints.countStrips(person, limit)) === strips) return state;
    }
  };

  return {
    async load(person, from) {
      const state = await checkpoints.load(person, limit);
      try {
        await refresh(person, state, () => monthsFrom(state, from));
        return state;
      } catch (error) {
        if (error instanceof StrippedContentError) return rebuild(person);
        throw error;
      }
    },
    refresh,
  };
};

/** The state's wall months from that of a day on. */
export const monthsFrom = (state: PuffState, from: DayNumber): string[] => {
  const first = monthOf(from);
  return [...state.months.keys()].filter((name) => name >= first);
};

/** The numbers strictly between two, at most a page of them. */
const numbersBetween = (from: number, to: number): number[] =>
  Array.from({ length: Math.min(to - from - 1, pageSize) }, (_, index) => from + 1 + index);
