import { settledWithin } from '../concurrency/deadline.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { RedisLink } from './redis-link.ts';
import type { Bus } from './bus.ts';
import { createRedisScript } from './redis-script.ts';
import { followStream, type StreamEntry } from './stream-follower.ts';

/**
 * How long an entry is kept for a process that was cut off for a moment. It is trimmed by the next entry, or the key
 * expires: either way it is gone twice this time after it was written, a minute.
 */
const keptForMs = 30_000;
/** What all entries together may take of Redis, as `MEMORY USAGE` reports it; more is trimmed to half of it. */
const maxStreamBytes = 64 * 1024 * 1024;
/** This process checks it after so many bytes of its own, and with every repair. */
const bytesPerCheck = 8 * 1024 * 1024;
/** What an erasure leaves for processes that have not read it yet; one that is slower finds a gap. */
const unreadForMs = 1_000;
/** Of messages that wait for the one entry under way; far more than an answer of Redis lets come together. */
const maxWaiting = 10_000;
const flushedWithinMs = 250;
const repairEveryMs = 5_000;
const maxSenders = 1_000;

/**
 * Appends an entry with its place: how many entries there were, itself included. A reader finds by the places whether
 * entries were trimmed before it has read them. Trims what is too old by the clock of Redis.
 */
const appendScript = `
local time = redis.call('TIME')
local now, kept = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[1])
local place = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[1], 'MINID', '=', string.format('%.0f', now - kept), '*',
  'from', ARGV[2], 'number', ARGV[3], 'place', place, 'messages', ARGV[4])
redis.call('PEXPIRE', KEYS[1], kept)
redis.call('PEXPIRE', KEYS[2], kept)
return place`;

export interface RedisBus extends Bus {
  /** Resolves when the stream is followed, or Redis found to be away. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Removes every entry that is older than a second, for an erasure. Best effort: the entries go in a minute anyway. */
  trim(): Promise<void>;
  /** Whether Redis accepted the last entry and the stream is followed. */
  isWhole(): boolean;
}

/**
 * The bus as one Redis stream that every process writes and reads. All that a process publishes while an entry is under way
 * goes into the next one, so load makes entries longer and not more. Every sender numbers its entries, dropped ones
 * too, so that the others detect a sequence gap (docs/adr/0012-redis.md).
 */
export const createRedisBus = (deps: {
  redis: RedisLink;
  log: Logger;
  keptForMs?: number;
  maxStreamBytes?: number;
}): RedisBus => {
  const { redis, log } = deps;
  const keptMs = deps.keptForMs ?? keptForMs;
  const maxBytes = deps.maxStreamBytes ?? maxStreamBytes;
  const key = `${redis.prefix}bus`;
  const countKey = `${redis.prefix}bus count`;
  const append = createRedisScript(redis, appendScript);
  const self = newId();
  const listeners = new Map<string, ((message: unknown) => void)[]>();
  const gapListeners: (() => void)[] = [];
  /** The number of the last entry of each sender. */
  const lastSequenceBySender = new Map<string, number>();
  let waiting: [channel: string, message: object][] = [];
  let sending: Promise<void> | undefined;
  let number = 0;
  let dropped = 0;
  /** Redis is there and did not take the last entry: it is full, a replica, or hangs. */
  let isRefused = false;
  let timer: NodeJS.Timeout | undefined;
  let bytesSinceCheck = 0;

  const boundBytes = async () => {
    bytesSinceCheck = 0;
    const bytes = (await redis.commands.memory('USAGE', key)) ?? 0;
    if (bytes <= maxBytes) return;
    const length = await redis.commands.xlen(key);
    await redis.commands.xtrim(key, 'MAXLEN', Math.floor((length * maxBytes) / bytes / 2));
    log.warn({ event: 'bus.too_large', bytes }, 'bus stream exceeded its size limit and was trimmed');
  };
  const checkBytes = () => {
    if (redis.isUp()) void boundBytes().catch(() => undefined);
  };

  /** Sends what waits, and what is published meanwhile; an entry without messages where nothing waits. */
  const send = async () => {
    do {
      const batch = waiting;
      waiting = [];
      try {
        number += 1;
        const messages = JSON.stringify(batch);
        await append([key, countKey], [keptMs, self, number, messages]);
        bytesSinceCheck += messages.length;
        if (bytesSinceCheck > bytesPerCheck) checkBytes();
        taken();
      } catch (error) {
        dropped += batch.length;
        if (redis.isUp() && !isRefused)
          log.warn({ event: 'bus.refused', err: error }, 'Redis rejects bus messages');
        isRefused = redis.isUp();
      }
    } while (waiting.length > 0);
    sending = undefined;
  };
  const taken = () => {
    isRefused = false;
    if (dropped === 0) return;
    log.warn({ event: 'bus.dropped', messages: dropped }, 'bus messages dropped');
    dropped = 0;
  };

  const notifyGap = () => {
    for (const listener of gapListeners) listener();
  };

  const onEntry = ({ fields }: StreamEntry) => {
    const from = fields.get('from');
    if (from === undefined || from === self) return;
    const before = lastSequenceBySender.get(from);
    const now = Number(fields.get('number'));
    lastSequenceBySender.delete(from);
    lastSequenceBySender.set(from, now);
    const [oldest] = lastSequenceBySender.keys();
    if (lastSequenceBySender.size > maxSenders && oldest !== undefined) lastSequenceBySender.delete(oldest);
    for (const [channel, message] of messagesOf(fields.get('messages')))
      for (const listener of listeners.get(channel) ?? []) {
        try {
          listener(message);
        } catch (error) {
          log.error({ event: 'bus.listener_failed', err: error, channel }, 'bus listener failed');
        }
      }
    if (before !== undefined && now > before + 1) notifyGap();
  };

  const follower = followStream({ redis, key, countKey, keptMs, onEntry, onGap: notifyGap });

  /** After dropped messages: an entry, if need be without messages, whose number shows the gap to the others. */
  const publishGapMarker = () => {
    if (dropped > 0 && redis.isUp()) sending ??= send();
  };
  redis.commands.on('ready', publishGapMarker);

  const isWhole = () => redis.isUp() && follower.isFollowing() && !isRefused;

  return {
    publish(channel, message) {
      if (!redis.isUp() || waiting.length >= maxWaiting) {
        // As if it had been an entry: the others miss its number.
        number += 1;
        dropped += 1;
        return;
      }
      waiting.push([channel, message]);
      // Messages of one turn of the event loop share an entry.
      sending ??= Promise.resolve().then(send);
    },
    on(channel, listener) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
    },
    onGap(listener) {
      gapListeners.push(listener);
    },
    isWhole,
    async trim() {
      try {
        const [seconds, micros] = await redis.commands.time();
        const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
        await redis.commands.xtrim(key, 'MINID', '=', now - unreadForMs);
      } catch (error) {
        log.debug({ event: 'bus.not_trimmed', err: error }, 'bus stream trim failed; its entries expire');
      }
    },
    flushed: () => sending && settledWithin(sending, flushedWithinMs),
    async start() {
      await follower.start();
      timer = setInterval(() => {
        if (!isWhole()) notifyGap();
        publishGapMarker();
        checkBytes();
      }, repairEveryMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await sending;
      await follower.stop();
    },
  };
};

/** Another version of the program may write another form; anything but a list of messages is ignored. */
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
