/** Older events are read from the list, not replayed (docs/api.md). */
const replayedMs = 7 * 86_400_000;

/**
 * Where the events of a new socket begin: after the number that the client has had last, or after `head` where it has
 * to read the list instead. That is so for what is no number of ours: none of the past 7 days (ms), one of the future,
 * or no whole number at all. A client that names none has read everything by its first calls.
 *
 * @param firstMissed the first row after `lastSeq`, where there is one.
 *
 * With a head of 9: `undefined` or null starts after 9; 7 after 7; 12 after 9 with a resync.
 */
export const replayStart = (
  lastSeq: unknown,
  { head, firstMissed, now }: { head: number; firstMissed?: { seq: number; createdAt: number }; now: number },
): { after: number; resync: boolean } => {
  if (lastSeq === undefined || lastSeq === null) return { after: head, resync: false };
  if (!isNumberOfOurs(lastSeq, head)) return { after: head, resync: true };
  if (lastSeq === head) return { after: head, resync: false };
  const isWhole = firstMissed?.seq === lastSeq + 1 && firstMissed.createdAt > now - replayedMs;
  return isWhole ? { after: lastSeq, resync: false } : { after: head, resync: true };
};

const isNumberOfOurs = (value: unknown, head: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= head;
