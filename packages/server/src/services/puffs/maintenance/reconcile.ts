import type { DayNumber } from '../../../domain/local-day.ts';
import type { PuffStateCache } from '../state/puff-state-cache.ts';
import type { PuffState } from '../state/puff-state.ts';
import type { RawSum, RecordSumsStore } from './record-sums-store.ts';

/** What did not equal a recount: the state in this process, or the stored one. */
export type Drift = 'live' | 'stored';

/** Recounts a person's raw records, and compares the sums with the live and the stored state. */
export type Reconcile = (person: string) => Promise<readonly Drift[]>;

const attempts = 5;

/**
 * The database sums the records, without any code of the fold. Both sides are compared at one number of the log; if the
 * log grows meanwhile, the comparison is repeated.
 */
export const createReconcile = (deps: {
  sums: Pick<RecordSumsStore, 'addUp'>;
  live: (person: string, from?: DayNumber) => Promise<PuffState>;
  stored: Pick<PuffStateCache, 'getCurrentForJob' | 'drop'>;
}): Reconcile => {
  const { live, stored } = deps;

  const agrees = async (person: string, read: (from?: DayNumber) => Promise<PuffState>): Promise<boolean> => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { rev, clearedRev } = await read();
      const sums = await deps.sums.addUp(person, { rev, clearedRev });
      const first = sums.reduce((day, { wallDate }) => Math.min(day, wallDate), Infinity);
      const history = await read(Number.isFinite(first) ? first : undefined);
      if (history.rev === rev) return equals(history, sums);
    }
    return true; // a log that grows without a pause is compared in a later run
  };

  return async (person) => {
    stored.drop(person);
    const [liveAgrees, storedAgrees] = [
      await agrees(person, (from) => live(person, from)),
      await agrees(person, (from) => stored.getCurrentForJob(person, from)),
    ];
    stored.drop(person);
    return [...(liveAgrees ? [] : ['live' as const]), ...(storedAgrees ? [] : ['stored' as const])];
  };
};

/** Totals, the newest instant, and the sum of every hour of every day that either side knows. */
const equals = (history: PuffState, sums: readonly RawSum[]): boolean => {
  let total = 0;
  let records = 0;
  let lastPuffAt: number | null = null;
  const days = new Map<DayNumber, number[]>();
  for (const sum of sums) {
    total += sum.quantity;
    records += sum.records;
    lastPuffAt = Math.max(lastPuffAt ?? sum.lastPuffAt, sum.lastPuffAt);
    const hours = days.get(sum.wallDate) ?? new Array<number>(24).fill(0);
    hours[sum.wallHour] = sum.quantity;
    days.set(sum.wallDate, hours);
  }
  return (
    history.total === total &&
    history.records === records &&
    history.lastPuffAt === lastPuffAt &&
    history.activeDays(0).length === days.size &&
    [...days].every(([day, hours]) => history.hoursOn(day, 0).every((sum, hour) => sum === hours[hour]))
  );
};
