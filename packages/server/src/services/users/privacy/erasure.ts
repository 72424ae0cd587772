import { createHmac } from 'node:crypto';
import { hourMs } from '../../../domain/durations.ts';

/** Whoever keeps something of people. */
export interface PersonalData {
  /** Drops what this process holds of a person, and begins to write nothing of theirs any more. */
  forgetUser?(userId: string): void;
  /** Deletes every row of this very person; answers how many there were. Safe to repeat and to be cut off. */
  eraseUser(userId: string): Promise<number>;
}

/** What is left to do of an erasure; the row goes blank when it is done. */
export interface Erasure {
  readonly userId: string;
}

/**
 * How long after the deletion a write may still land that was let in before it (ms): a process may not have heard for
 * 5 s, the write waits for its turn, and an attempt and its retry each end with a socket's 20 s; the rest is for clocks
 * that differ.
 */
export const writesMayLiveMs = 90_000;
/** After a sweep that found something (ms): what landed behind it goes long before the last sweep. */
export const sweepAgainMs = 15_000;
/** An operator is told of what takes longer (PRIV-3: at most 24 h). */
export const overdueAfterMs = 24 * hourMs;

/**
 * When to sweep again (ms); undefined: the person is erased. Only a sweep that found nothing, and began when no write of
 * before the deletion could live any more, says so.
 *
 * nextSweepAt({ createdAt: 0, sweptAt: 90_000, found: 0 }) is undefined; with `found: 1` it is 105,000.
 */
export const nextSweepAt = ({
  createdAt,
  sweptAt,
  found,
}: {
  createdAt: number;
  sweptAt: number;
  found: number;
}): number | undefined => {
  if (found > 0) return sweptAt + sweepAgainMs;
  return sweptAt < createdAt + writesMayLiveMs ? createdAt + writesMayLiveMs : undefined;
};

/** Throws for what is no id of a person: a filter by less than a whole id would mean others. */
export const requirePersonId = (userId: unknown): string => {
  if (typeof userId !== 'string' || !/^[0-9a-z]{26}$/.test(userId))
    throw new Error('an erasure has to name exactly one person');
  return userId;
};

/** What proves an erasure afterwards to somebody who knows whom to ask for, and tells nobody else anything. */
export interface LedgerEntry {
  readonly user: string;
  /** Null where no identity of Apple was linked. */
  readonly appleSub: string | null;
}

/** Keyed by the master key, so that a `sub` cannot be found by trying all of them. */
export const ledgerEntryOf = (
  masterKey: Buffer,
  { userId, appleSub }: { userId: string; appleSub: string | undefined },
): LedgerEntry => {
  const key = createHmac('sha256', masterKey).update('pufftrack erasure ledger').digest();
  const mac = (text: string) => createHmac('sha256', key).update(text).digest('hex');
  return {
    user: mac(`user:${userId}`),
    appleSub: appleSub === undefined ? null : mac(`apple:${appleSub}`),
  };
};

/** The ledger is kept for 24 months (PRIV-3); entries from before this instant (ms) go. */
export const ledgerCutoff = (now: number): number => {
  const date = new Date(now);
  return date.setUTCFullYear(date.getUTCFullYear() - 2);
};
