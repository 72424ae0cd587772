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
  /** Entries that are older than this (ms) may be gone. */
  keptMs: number;
  /** Monotonic, ms. */
  now?: () => number;
  onEntry: (entry: StreamEntry) => void;
  /** Follows again after an outage, or after it stood still for so long that entries may be gone unread. */
  onReturn: () => void;
}): StreamFollower => {
  const { redis, key, now = () => performance.now() } = deps;
  const stopping = new AbortController();
  let reader: Redis | undefined;
  let running: Promise<void> | undefined;
  let last: string | undefined;
  let isFollowing = false;
  let onFirst: (() => void) | undefined;

  /** Where to go on from. */
  const position = async (from: Redis): Promise<string> => {
    const [newest] = await from.xrevrange(key, '+', '-', 'COUNT', 1);
    const end = newest?.[0] ?? '0-0';
    if (last === undefined) return end;
    return isAfter(last, end) ? '0-0' : last;
  };

  const follow = async (from: Redis) => {
    let at = await position(from);
    last = at;
    isFollowing = true;
    if (onFirst) onFirst();
    else deps.onReturn();
    let readAt = now();
    while (!stopping.signal.aborted) {
      const answer = await from.xread('COUNT', entriesPerRead, 'BLOCK', waitMs, 'STREAMS', key, at);
      const stoodStill = now() - readAt > deps.keptMs / 2;
      readAt = now();
      // Silence: what is written to a stream that was emptied may stand before the place that is waited at.
      if (!answer) last = at = await position(from);
      for (const [id, values] of answer?.[0]?.[1] ?? []) {
        last = at = id;
        deps.onEntry({ id, fields: fieldsOf(values) });
      }
      if (stoodStill) deps.onReturn();
    }
  };

  const run = async (from: Redis) => {
    while (!stopping.signal.aborted) {
      try {
        await follow(from);
      } catch {
        // The link tells of the outage.
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

/** Ids are `<ms>-<number>`, in the order of both. */
const isAfter = (one: string, other: string): boolean => {
  const [oneMs = 0, oneNumber = 0] = one.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return oneMs > otherMs || (oneMs === otherMs && oneNumber > otherNumber);
};
