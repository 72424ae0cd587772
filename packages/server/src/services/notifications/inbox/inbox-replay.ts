import type { PersistentEventName, ServerEvent } from '@pufftrack/contract';
import { dayMs } from '../../../domain/durations.ts';

/** Where the persistent events of a new socket begin. */
export interface ReplayStart {
  /** The newest number of the inbox. */
  readonly head: number;
  /** Events with a higher number are sent. */
  readonly after: number;
  /** The client has to read the list first: events before `after` are missing. */
  readonly resync: boolean;
}

export interface InboxReplay {
  replayStart(userId: string, lastSeq: unknown): Promise<ReplayStart>;
  /** Sends every event after `after` to `emit`, in order, until the returned function is called. */
  subscribe(
    userId: string,
    after: number,
    emit: (event: PersistentEventName, payload: ServerEvent<PersistentEventName>) => void,
  ): () => void;
}

/** Older events are read from the list, not replayed (docs/api.md). */
const replayedMs = 7 * dayMs;

/**
 * Where the events of a new socket begin: after `lastSeq`, or after `head` with a resync if `lastSeq` is not a number of
 * this inbox, or if an event after it is missing or older than 7 days. A client without `lastSeq` reads the list anyway.
 *
 * @param firstMissed the first row after `lastSeq`; undefined without one.
 *
 * With a head of 9: undefined or null starts after 9; 7 after 7; 12 after 9 with a resync.
 */
export const replayStart = (
  lastSeq: unknown,
  { head, firstMissed, now }: { head: number; firstMissed?: { seq: number; createdAt: number }; now: number },
): Omit<ReplayStart, 'head'> => {
  if (lastSeq === undefined || lastSeq === null) return { after: head, resync: false };
  if (!isKnownNumber(lastSeq, head)) return { after: head, resync: true };
  if (lastSeq === head) return { after: head, resync: false };
  const isComplete = firstMissed?.seq === lastSeq + 1 && firstMissed.createdAt > now - replayedMs;
  return isComplete ? { after: lastSeq, resync: false } : { after: head, resync: true };
};

const isKnownNumber = (value: unknown, head: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= head;
