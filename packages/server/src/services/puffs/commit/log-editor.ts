import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '../../../platform/edge/errors.ts';
import { newId, randomBelow } from '../../../platform/ids.ts';
import type { Admission } from './admission.ts';
import type { GroupCommit } from './group-commit.ts';
import { localDayOf, monthOf } from '../../../domain/local-day.ts';
import type { CountedPuff } from '../domain/log-record.ts';
import {
  comesLate,
  maxQuantityPerDay,
  type PuffValues,
  type RecordedPuff,
  type StoredPuff,
} from '../domain/puff.ts';
import type { PuffStateCache } from '../state/puff-state-cache.ts';
import type { PuffState } from '../state/puff-state.ts';
import { UnknownOutcomeError, type PuffStore } from '../log/puff-store.ts';
import { unavailable } from './commit-errors.ts';

/** A puff that a change may find: the content is there, and no deletion of all hides it. */
export interface EditTarget {
  readonly puff: RecordedPuff;
  /** ms; null while it lives. */
  readonly deletedAt: number | null;
  /** Whether it came to the day on which it stands more than 48 h after it happened. */
  readonly cameLate: boolean;
  /** What was counted when it was recorded. */
  readonly original: CountedPuff;
}

/** A requested change of one puff. */
export interface EditCommand {
  /** The puff's id, or how to find it in a log that is known up to `state.rev`. */
  readonly target: string | ((state: PuffState) => Promise<string | undefined>);
  /** ms */
  readonly at: number;
  /**
   * What the puff is to be, or undefined where it may stay as it is; throws a DomainError where that cannot be. It is
   * called again when another process was faster. `found` is undefined for a puff that is not there, or not any more.
   */
  decide(found: EditTarget | undefined): { values: PuffValues; deletedAt: number | null } | undefined;
  /** Where the puff has to fit into its local day. */
  readonly dayStartHour: number;
}

export interface EditResult {
  /** Counts the change. */
  readonly state: PuffState;
  /** The puff as it was; undefined where there was none. */
  readonly found: EditTarget | undefined;
  /** The puff as it is now, with the number of its newest change. */
  readonly puff: RecordedPuff | undefined;
  readonly changed: boolean;
}

/** Entries of the log that change what stands in it. Each is made knowing everything before it. */
export interface LogEditor {
  /**
   * Throws what `decide` throws, `day-full`, or `overloaded` where the outcome is not known. The same call is safe where
   * `target` is an id, because `decide` compares values; a target that is queried may be another one the next time.
   */
  change(person: string, wanted: EditCommand): Promise<EditResult>;
  /** Hides every puff of now for good; answers how many lived, and between which numbers they stand. */
  clear(
    person: string,
    at: number,
    purgeAt: number,
  ): Promise<{ state: PuffState; deleted: number; hidden: { after: number; before: number } }>;
}

/** A change loses its number to another process at most so often before it fails as `overloaded`. */
const maxAttempts = 8;
const backOffMs = 20;

export const createLogEditor = (deps: {
  store: PuffStore;
  states: PuffStateCache;
  runExclusive: GroupCommit['runExclusive'];
  admission: Admission;
}): LogEditor => {
  const { store, states, runExclusive, admission } = deps;

  /** A deletion needs no consent; whatever leaves a puff alive does, also where it was granted on arrival. */
  const requireAdmission = async (person: string): Promise<void> => {
    const admitted = admission.check(person);
    if (admitted === 'unknown') await admission.read(person);
    else if (admitted !== 'granted') throw admitted;
  };

  /** Repeats `attempt` until it has a result; undefined means: retry on a newer log. */
  const retryOnConflict = <T>(person: string, attempt: () => Promise<T | undefined>): Promise<T> =>
    runExclusive(person, async () => {
      for (let tries = 0; tries < maxAttempts; tries++) {
        try {
          const answer = await attempt();
          if (answer !== undefined) return answer;
        } catch (error) {
          if (!(error instanceof UnknownOutcomeError)) throw error;
          states.drop(person);
          throw unavailable(error);
        }
        await pause(randomBelow(backOffMs));
      }
      throw unavailable(new Error('other processes took every number'));
    });

  const find = async (person: string, { target }: EditCommand, state: PuffState) => {
    const id = typeof target === 'string' ? target : await target(state);
    return id === undefined ? undefined : store.findNewest(person, id);
  };

  return {
    change: (person, wanted) =>
      retryOnConflict<EditResult>(person, async () => {
        let state = await states.getCurrent(person);
        const { rev, clearedRev } = state;
        const stored = await find(person, wanted, state);
        // Its writer has read more of the log: a number below it may be missing, which this change must not take.
        if (stored && stored.latestRev > rev) return undefined;
        const content = stored && stored.firstRev > clearedRev ? stored.content : undefined;
        const after = wanted.decide(content);
        if (!content || !after) return { state, found: content, puff: content?.puff, changed: false };

        if (after.deletedAt === null) {
          requireChangesLeft(stored);
          const day = localDayOf(after.values.wall, wanted.dayStartHour);
          state = await states.getWithMonths(person, new Set([monthOf(day), monthOf(day + 1)]));
          if (state.rev !== rev) return undefined;
          requireRoom(state, content, after.values, wanted.dayStartHour);
          await requireAdmission(person);
        }
        const inserted = await store.insertChange(person, rev + 1, {
          id: `!${newId()}`,
          target: content.puff.id,
          original: content.original,
          before: { values: content.puff, deletedAt: content.deletedAt, cameLate: content.cameLate },
          after: { ...after, cameLate: comesLate(content, after.values, wanted) },
          at: wanted.at,
        });
        if (!inserted) return undefined;
        return {
          state: await states.getCurrent(person),
          found: content,
          puff: { ...content.puff, ...after.values, rev: rev + 1 },
          changed: true,
        };
      }),

    clear: (person, at, purgeAt) =>
      retryOnConflict(person, async () => {
        const { rev, clearedRev, records } = await states.getCurrent(person);
        const inserted =
          rev === clearedRev ||
          (await store.insertClear(person, rev + 1, { id: `!${newId()}`, at, purgeAt }));
        if (!inserted) return undefined;
        const hidden = { after: clearedRev, before: rev + 1 };
        return { state: await states.getCurrent(person), deleted: records, hidden };
      }),
  };
};

/** Each change is a record of the log and a number in the puff's own. A deletion is always possible. */
export const maxChangesPerPuff = 2_500;

const requireChangesLeft = (stored: StoredPuff | undefined): void => {
  if (stored && stored.changes >= maxChangesPerPuff)
    throw new DomainError('limit-reached', {
      detail: `This puff was changed ${maxChangesPerPuff} times. It can be deleted and recorded again.`,
      limit: maxChangesPerPuff,
    });
};

/** At most 5,000 of quantity on one local day, whatever the puff has counted there so far. */
const requireRoom = (state: PuffState, before: EditTarget, after: PuffValues, dayStartHour: number): void => {
  const day = localDayOf(after.wall, dayStartHour);
  const sameDay = before.deletedAt === null && localDayOf(before.puff.wall, dayStartHour) === day;
  const others = state.countOn(day, dayStartHour) - (sameDay ? before.puff.quantity : 0);
  const smaller = sameDay && after.quantity <= before.puff.quantity;
  if (others + after.quantity > maxQuantityPerDay && !smaller)
    throw new DomainError('day-full', { detail: 'Daily maximum of 5,000 reached for this local day.' });
};
