import type { ClientSession } from 'mongodb';

/** Work that was promised in a commit and is done afterwards, at least once (REL-4). */
export interface OutboxJob<Payload> {
  readonly id: string;
  readonly payload: Payload;
  readonly createdAt: number;
  /** This attempt's number, from 1. */
  readonly attempt: number;
}

/** What a handler throws to be called again at an instant (ms) that it chooses; no failure. */
export class RetryAtError extends Error {
  readonly at: number;
  constructor(at: number) {
    super('not now');
    this.name = 'RetryAtError';
    this.at = at;
  }
}

export interface OutboxStore<Payload> {
  ensureIndexes(): Promise<void>;
  /** False where the id is known already, done or not. In a transaction a known id ends it instead. */
  add(job: { id: string; payload: Payload; now: number }, tx?: ClientSession): Promise<boolean>;
  /** Takes a job that is due; nobody else gets it within `leaseMs`. */
  claim(now: number, leaseMs: number): Promise<OutboxJob<Payload> | undefined>;
  /** The payload goes at once, the id stays for 7 days, whether it is done or given up. Nothing where another attempt has begun meanwhile. */
  finish(job: OutboxJob<Payload>, now: number): Promise<void>;
  retryAt(job: OutboxJob<Payload>, dueAt: number): Promise<void>;
  /** What is not done, whether or not it is due; at most `limit`. */
  listOpen(limit: number): Promise<Payload[]>;
  /** Rows that were done or given up 7 days ago. */
  removeLongDone(now: number): Promise<void>;
  /** Jobs that nobody has taken since an instant (ms): no process works this outbox. */
  removeDueBefore(instant: number): Promise<void>;
}

const firstRetryMs = 5_000;
const lastRetryMs = 60 * 60_000;

/**
 * ms until a job is tried again after its `attempt`-th failure: doubled each time from 5 s to an hour, and spread by a
 * fifth in both directions with `fraction` 0..1, so that jobs that failed together do not come back together.
 *
 * retryDelayMs(1, 0.5) is 5,000; retryDelayMs(3, 0.5) is 20,000; no attempt is later than 72 minutes.
 */
export const retryDelayMs = (attempt: number, fraction: number): number =>
  Math.round(Math.min(lastRetryMs, firstRetryMs * 2 ** (attempt - 1)) * (0.8 + 0.4 * fraction));
