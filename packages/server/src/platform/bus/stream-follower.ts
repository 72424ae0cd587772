import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { settledWithin } from '../concurrency/deadline.ts';
import type { RedisLink } from './redis-link.ts';

export interface StreamEntry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, string>;
}

export interface StreamFollower {
  /** Resolves when the end of the stream is known, from which on nothing is missed, or after 1 s without Redis. */
  start(): Promise<void>;
  isFollowing(): boolean;
  /** Does not wait for Redis. */
  stop(): Promise<void>;
}

const waitMs = 2_000;
const entriesPerRead = 200;
const retryMs = 100;
const startWithinMs = 1_000;

/**
 * Reads a stream from its end on, over outages: a connection that was cut goes on after the last entry that was read,
 * as far as the stream still has it; a stream that was emptied, or whose clock went back, is read from its beginning.
 */
export const followStream = (deps: {
  redis: RedisLink;
  key: string;
  /** Holds the number of entries so far; each entry has its own as `place`. Expires with the stream. */
  countKey: string;
  /** Entries that are older than this (ms) may be gone. */
  keptMs: number;
  /** Monotonic, ms. */
  now?: () => number;
  onEntry: (entry: StreamEntry) => void;
  /** Entries may be missing: after an outage or a long stall, or where some were trimmed before they were read. */
  onGap: () => void;
}): StreamFollower => {
  const { redis, key, now = () => performance.now() } = deps;
  const stopping = new AbortController();
  let reader: Redis | undefined;
  let running: Promise<void> | undefined;
  let last: string | undefined;
  /** The place of the last entry that was read, or of the last one that is known to be gone. */
  let lastPlace = 0;
  let isFollowing = false;
  let onFirst: (() => void) | undefined;

  /** Where to go on from, and whether entries are gone that no later entry shows to be missing. */
  const position = async (from: Redis): Promise<{ at: string; isGap: boolean }> => {
    const { end, count } = await endOf(from, key, deps.countKey);
    if (last !== undefined && isAfter(end, last)) return { at: last, isGap: false };
    const isGap = last !== undefined && count !== 0 && count !== lastPlace;
    lastPlace = count;
    return { at: last === undefined ? end : isAfter(last, end) ? '0-0' : last, isGap };
  };

  /** Whether entries before this one are gone. Only a new stream, which is read from its beginning, starts at 1. */
  const isPlaceMissing = (fields: ReadonlyMap<string, string>): boolean => {
    const place = Number(fields.get('place'));
    // An older version of the program writes none.
    if (!Number.isSafeInteger(place)) return false;
    const isMissing = place !== lastPlace + 1 && place !== 1;
    lastPlace = place;
    return isMissing;
  };

  const follow = async (from: Redis) => {
    let { at } = await position(from);
    last = at;
    isFollowing = true;
    if (onFirst) onFirst();
    else deps.onGap();
    let readAt = now();
    while (!stopping.signal.aborted) {
      const answer = await from.xread('COUNT', entriesPerRead, 'BLOCK', waitMs, 'STREAMS', key, at);
      // The stream can have expired and begun again meanwhile.
      let isGap = now() - readAt > deps.keptMs / 2;
      readAt = now();
      for (const [id, values] of answer?.[0]?.[1] ?? []) {
        last = at = id;
        const fields = fieldsOf(values);
        if (isPlaceMissing(fields)) isGap = true;
        deps.onEntry({ id, fields });
      }
      // Silence: what is written to a stream that was emptied may stand before the place that is waited at.
      if (!answer) {
        const next = await position(from);
        last = at = next.at;
        isGap ||= next.isGap;
      }
      if (isGap) deps.onGap();
    }
  };

  const run = async (from: Redis) => {
    while (!stopping.signal.aborted) {
      try {
        await follow(from);
      } catch {
        // The link logs the outage.
        isFollowing = false;
        await pause(retryMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      }
    }
  };

  return {
    isFollowing: () => isFollowing,
    async start() {
      reader = redis.openReader(waitMs);
      const follows = new Promise<void>((resolve) => {
        onFirst = resolve;
      });
      running = run(reader);
      await settledWithin(follows, startWithinMs);
      onFirst = undefined;
    },
    async stop() {
      stopping.abort();
      // Ends the read that waits.
      reader?.disconnect();
      await running;
    },
  };
};

const fieldsOf = (values: readonly string[]): Map<string, string> => {
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < values.length; at += 2) fields.set(values[at] ?? '', values[at + 1] ?? '');
  return fields;
};

/** The newest entry and the number of entries so far, of the same moment. */
const endOf = async (from: Redis, key: string, countKey: string) => {
  const [newest, count] =
    (await from.multi().xrevrange(key, '+', '-', 'COUNT', 1).get(countKey).exec()) ?? [];
  const failure = newest?.[0] ?? count?.[0];
  if (failure) throw failure;
  const [entry] = newest?.[1] as [id: string, values: string[]][];
  return { end: entry?.[0] ?? '0-0', count: Number(count?.[1] ?? 0) };
};

/** Ids are `<ms>-<number>`, in the order of both. */
const isAfter = (one: string, other: string): boolean => {
  const [oneMs = 0, oneNumber = 0] = one.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return oneMs > otherMs || (oneMs === otherMs && oneNumber > otherNumber);
};
