import { settledWithin } from '../deadline.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import type { Bus } from './bus.ts';
import { followStream, type StreamEntry } from './stream-follower.ts';

/** Entries that are kept for a process that was cut off for a moment; a batch is one of them. */
const maxEntries = 10_000;
/** Of messages that wait for the one entry under way; far more than an answer of Redis lets come together. */
const maxWaiting = 10_000;
const announcedWithinMs = 250;
const repairEveryMs = 5_000;
const maxSenders = 1_000;

export interface RedisBus extends Bus {
  /** Resolves when the stream is followed, or Redis found to be away. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Whether Redis takes what is said and brings what others say, as far as anybody has tried. */
  isWhole(): boolean;
}

/**
 * The bus as one Redis stream that every process writes and reads. All that a process says while an entry is under way
 * goes into the next one, so load makes entries longer and not more. Every sender numbers its entries, dropped ones
 * too, so that a hole in the numbers tells the others (docs/adr/0012-redis.md).
 */
export const createRedisBus = (deps: { redis: RedisLink; log: Logger }): RedisBus => {
  const { redis, log } = deps;
  const key = `${redis.prefix}bus`;
  const self = newId();
  const listeners = new Map<string, ((message: unknown) => void)[]>();
  const gapListeners: (() => void)[] = [];
  /** The number of the last entry of each sender. */
  const heard = new Map<string, number>();
  let waiting: [channel: string, message: object][] = [];
  let sending: Promise<void> | undefined;
  let number = 0;
  let dropped = 0;
  /** Redis is there and did not take the last entry: it is full, a replica, or hangs. */
  let isRefused = false;
  let timer: NodeJS.Timeout | undefined;

  /** What waits, and what comes meanwhile; an entry that says nothing where nothing waits. */
  const send = async () => {
    do {
      const batch = waiting;
      waiting = [];
      try {
        number += 1;
        await redis.commands.xadd(
          key,
          'MAXLEN',
          '~',
          maxEntries,
          '*',
          ...['from', self, 'number', number, 'messages', JSON.stringify(batch)],
        );
        taken();
      } catch (error) {
        dropped += batch.length;
        if (redis.isUp() && !isRefused)
          log.warn({ event: 'bus.refused', err: error }, 'Redis takes no messages to other processes');
        isRefused = redis.isUp();
      }
    } while (waiting.length > 0);
    sending = undefined;
  };
  const taken = () => {
    isRefused = false;
    if (dropped === 0) return;
    log.warn({ event: 'bus.dropped', messages: dropped }, 'messages to other processes were dropped');
    dropped = 0;
  };

  const tellGap = () => {
    for (const listener of gapListeners) listener();
  };

  const hear = ({ fields }: StreamEntry) => {
    const from = fields.get('from');
    if (from === undefined || from === self) return;
    const before = heard.get(from);
    const now = Number(fields.get('number'));
    heard.delete(from);
    heard.set(from, now);
    const [oldest] = heard.keys();
    if (heard.size > maxSenders && oldest !== undefined) heard.delete(oldest);
    for (const [channel, message] of messagesOf(fields.get('messages')))
      for (const listener of listeners.get(channel) ?? []) {
        try {
          listener(message);
        } catch (error) {
          log.error({ event: 'bus.listener_failed', err: error, channel }, 'a message had no effect');
        }
      }
    if (before !== undefined && now > before + 1) tellGap();
  };

  const follower = followStream({ redis, key, onEntry: hear, onReturn: tellGap });

  /** The number of the next entry tells the others, also where nobody has anything to say. */
  const showHole = () => {
    if (dropped > 0 && redis.isUp()) sending ??= send();
  };
  redis.commands.on('ready', showHole);

  const isWhole = () => redis.isUp() && follower.isFollowing() && !isRefused;

  return {
    publish(channel, message) {
      if (!redis.isUp() || waiting.length >= maxWaiting) {
        // As if it had been an entry: its number is missing to the others.
        number += 1;
        dropped += 1;
        return;
      }
      waiting.push([channel, message]);
      // What is said in the same turn of the loop goes together.
      sending ??= Promise.resolve().then(send);
    },
    on(channel, listener) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
    },
    onGap(listener) {
      gapListeners.push(listener);
    },
    isWhole,
    announced: () => sending && settledWithin(sending, announcedWithinMs),
    async start() {
      await follower.start();
      timer = setInterval(() => {
        if (!isWhole()) tellGap();
        showHole();
      }, repairEveryMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await sending;
      await follower.stop();
    },
  };
};

/** Another version of the program may speak otherwise; what is no list of messages says nothing. */
const messagesOf = (text: string | undefined): [string, unknown][] => {
  try {
    const parsed: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(parsed) ? parsed.filter(isMessage) : [];
  } catch {
    return [];
  }
};

const isMessage = (item: unknown): item is [string, unknown] =>
  Array.isArray(item) && item.length === 2 && typeof item[0] === 'string';
