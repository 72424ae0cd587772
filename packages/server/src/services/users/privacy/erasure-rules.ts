import { createHmac } from 'node:crypto';
import { hourMs } from '../../../domain/durations.ts';
import { requestDeadlineMs } from '../../../platform/concurrency/deadline.ts';
import { socketTimeoutMs } from '../../../platform/mongo/time-limits.ts';
import { settingsMaxAgeMs } from '../accounts/user-settings-cache.ts';

/** The payload of an erasure job; the outbox clears it when the job is done. */
export interface Erasure {
  readonly userId: string;
}

/** How far the clocks of two processes may differ (ms). */
const clockDifferenceMs = 44_000;

/**
 * How long after the deletion a write may still commit that was admitted before it (ms): a process may hold outdated
 * settings, the write waits in a queue, and the driver sends each of its two attempts twice at most.
 */
export const writesMayLiveMs =
  settingsMaxAgeMs + requestDeadlineMs + 2 * 2 * socketTimeoutMs + clockDifferenceMs;
/** After a pass that found rows (ms): rows written behind it are removed long before the last pass. */
export const cleanupRetryMs = 15_000;
/** An erasure that takes longer is logged as an error (PRIV-3: at most 24 h). */
export const overdueAfterMs = 24 * hourMs;

/**
 * When the next cleanup pass runs (ms); undefined: the erasure is complete, which takes a pass that found nothing and began
 * when no write from before the deletion could still commit.
 *
 * nextCleanupAt({ createdAt: 0, passStartedAt: 90_000, found: 0 }) is undefined; with `found: 1` it is 105,000.
 */
export const nextCleanupAt = ({
  createdAt,
  passStartedAt,
  found,
}: {
  createdAt: number;
  passStartedAt: number;
  found: number;
}): number | undefined => {
  if (found > 0) return passStartedAt + cleanupRetryMs;
  return passStartedAt < createdAt + writesMayLiveMs ? createdAt + writesMayLiveMs : undefined;
};

/** Throws for anything but a whole user id, because a filter by less would match other users. */
export const requirePersonId = (userId: unknown): string => {
  if (typeof userId !== 'string' || !/^[0-9a-z]{26}$/.test(userId))
    throw new Error('an erasure has to name exactly one person');
  return userId;
};

/** Proves an erasure to a reader who knows the user id, and reveals nothing to others. */
export interface LedgerEntry {
  readonly user: string;
  /** Null without a linked Apple identity. */
  readonly appleSub: string | null;
}

/** Keyed by the master key, so that trying all possible `sub` values finds none. */
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
