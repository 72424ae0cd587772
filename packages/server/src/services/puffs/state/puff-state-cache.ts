import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../platform/clock.ts';
import { createKeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';
import { backgroundLimit } from '../../../platform/mongo/time-limits.ts';
import { dayMs } from '../../../domain/durations.ts';
import type { DayNumber } from '../../../domain/local-day.ts';
import { foldLimit } from '../log/fold-limit.ts';
import type { PuffStore } from '../log/puff-store.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { PuffState } from './puff-state.ts';
import type { RecountStore } from './recount-store.ts';
import {
  createStateLoader,
  monthsFrom,
  StrippedContentError,
  type PrefetchedLog,
  type StateLoader,
} from './state-loader.ts';

/** The states that this process holds. Any of them may be dropped at any time: the log is the truth. */
export interface PuffStateCache {
  /** The state as this process knows it; it may be behind other processes. */
  peek(person: string): PuffState | undefined;
  /**
   * The state with everything counted that the log held when this was called, loaded from the month before the last
   * one on. This read writes: it first applies pending changes to the records of their puffs. For an earlier `from` it
   * is a separate state that is not cached: a whole life is not kept in memory.
   */
  getCurrent(person: string, from?: DayNumber): Promise<PuffState>;
  /** The same for a job: its reads have the limit of jobs. */
  getCurrentForJob(person: string, from?: DayNumber): Promise<PuffState>;
  /** The same, with these wall months loaded. */
  getWithMonths(person: string, months: ReadonlySet<string>): Promise<PuffState>;
  /** Like `getCurrent`, with what was read for it beforehand; what is missing is read here. */
  getWithPrefetched(person: string, prefetched: Prefetched): Promise<PuffState>;
  drop(person: string): void;
}

/** What was read of a person together with others; it may be outdated by the time it is used. */
export interface Prefetched {
  /** The state of the checkpoint; used where this process holds none. */
  readonly stored?: PuffState | undefined;
  readonly log?: PrefetchedLog | undefined;
}

export const createPuffStateCache = (deps: {
  store: PuffStore;
  recounts: RecountStore;
  checkpoints: CheckpointStore;
  /** A fold has moved the state, so its checkpoint is due. */
  onChange: (person: string, state: PuffState) => void;
  /** Nothing is kept of a person who was erased. */
  isErased?: (person: string) => boolean;
  clock: Clock;
  maxPeople: number;
}): PuffStateCache => {
  const { onChange, clock } = deps;
  const loader = createStateLoader({ ...deps, limit: foldLimit });
  const jobLoader = createStateLoader({ ...deps, limit: backgroundLimit });
  const states = new LRUCache<string, PuffState>({ max: deps.maxPeople });
  /** One fold of a state at a time; a call that has waited too long is refused, so that no queue grows without bound. */
  const runExclusive = createKeyedMutex(clock);
  /** Calls of `getCurrent` that wait for the mutex; calls that arrive before one begins share its result. */
  const queued = new Map<string, Promise<PuffState>>();

  /** The cached state brought up to date, or a loaded one that is cached from now on. */
  const refreshCached = async (
    person: string,
    months: (state: PuffState) => Iterable<string>,
    { stored, log }: Prefetched = {},
    { load, refresh }: StateLoader = loader,
  ): Promise<PuffState> => {
    const known = states.get(person) ?? stored;
    const before = known?.rev;
    try {
      if (known) {
        await refresh(person, known, () => months(known), log);
        if (known === stored && !deps.isErased?.(person)) states.set(person, known);
        if (known.rev !== before || known.dirty) onChange(person, known);
        return known;
      }
    } catch (error) {
      if (!(error instanceof StrippedContentError)) throw error;
    }
    const state = await load(person, windowStart(clock.now()));
    const isLoaded = [...months(state)].every((name) => state.isMonthLoaded(name));
    if (!isLoaded) await refresh(person, state, () => months(state));
    if (deps.isErased?.(person)) return state;
    states.set(person, state);
    if (state.dirty) onChange(person, state);
    return state;
  };

  const monthsOfWindow = (state: PuffState) => monthsFrom(state, windowStart(clock.now()));

  const getShared = (person: string): Promise<PuffState> => {
    const shared = queued.get(person);
    if (shared) return shared;
    const result = runExclusive(person, () => {
      queued.delete(person);
      return refreshCached(person, monthsOfWindow);
    });
    queued.set(person, result);
    // A call that is refused before it begins must not be shared any longer.
    result.catch(() => {
      if (queued.get(person) === result) queued.delete(person);
    });
    return result;
  };

  return {
    peek: (person) => states.get(person),
    async getCurrent(person, from) {
      const state = await getShared(person);
      return from === undefined || state.isLoadedFrom(from) ? state : loader.load(person, from);
    },
    async getCurrentForJob(person, from) {
      const state = await runExclusive(person, () =>
        refreshCached(person, monthsOfWindow, undefined, jobLoader),
      );
      return from === undefined || state.isLoadedFrom(from) ? state : jobLoader.load(person, from);
    },
    getWithMonths: (person, months) => runExclusive(person, () => refreshCached(person, () => months)),
    getWithPrefetched: (person, prefetched) =>
      runExclusive(person, () => refreshCached(person, monthsOfWindow, prefetched)),
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
