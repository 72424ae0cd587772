import { createHash } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import { settledWithin } from '../concurrency/deadline.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * The connection to Redis, which is bus and counter here and never truth (REL-7): it may be unavailable at any time, at the start
 * too, and is reconnected automatically.
 */
export interface RedisLink {
  /** One round trip each. Fails at once while Redis is away, and after 1 s where it does not answer. */
  readonly commands: Redis;
  /** In front of every key, so that deployments can share a Redis. */
  readonly prefix: string;
  /** The key of what is kept for one account or address. It holds a hash of the id, so that keys hold no id. */
  keyOf(kind: string, id: string): string;
  isUp(): boolean;
  /** Another connection, for reads that wait at most `waitMs`. The caller disconnects it. */
  openReader(waitMs: number): Redis;
  /** Resolves once Redis answers, or after `withinMs` without it. */
  start(withinMs: number): Promise<void>;
  stop(): void;
}

const answersWithinMs = 1_000;
const longestPauseMs = 2_000;
const leaveReplicaEveryMs = 5_000;

const options = {
  lazyConnect: true,
  // Nothing waits for a Redis that is away: a late answer is of no use.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // What was under way fails as the connection does; with more than 0 and nothing sent again it would stay pending.
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
  commandTimeout: answersWithinMs,
  // A connection on which nothing is answered is dead, whatever TCP thinks of it.
  socketTimeout: 2 * answersWithinMs,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), longestPauseMs),
} satisfies RedisOptions;

export const createRedisLink = (deps: { url: string; prefix: string; log: Logger }): RedisLink => {
  const { log } = deps;
  let leftAt = -Infinity;
  const commands = new Redis(deps.url, {
    ...options,
    // After a failover the name leads to the new primary, and this connection still to the old one. Where the name leads
    // to a replica for good, one try in a while is enough.
    reconnectOnError({ message }) {
      // Redis 6 puts the error of a script behind a sentence of its own.
      if (!/\bREADONLY\b/.test(message) || performance.now() - leftAt < leaveReplicaEveryMs) return false;
      leftAt = performance.now();
      return true;
    },
  });
  let lastError: Error | undefined;
  let isOutage = false;

  // One line for an outage and one for its end, however often the connection is tried in between.
  commands.on('error', (error: Error) => {
    lastError = error;
  });
  commands.on('close', () => {
    if (isOutage) return;
    isOutage = true;
    log.warn(
      { event: 'redis.down', err: lastError },
      'Redis unavailable: limits count per process, live events reach the sockets of one process only',
    );
  });
  commands.on('ready', () => {
    if (isOutage) log.info({ event: 'redis.up' }, 'Redis available again');
    isOutage = false;
    lastError = undefined;
  });

  return {
    commands,
    prefix: deps.prefix,
    keyOf: (kind, id) =>
      `${deps.prefix}${kind} ${createHash('sha256').update(id).digest('base64url').slice(0, 22)}`,
    isUp: () => commands.status === 'ready',
    openReader(waitMs) {
      const reader = new Redis(deps.url, {
        ...options,
        commandTimeout: waitMs + answersWithinMs,
        socketTimeout: waitMs + 2 * answersWithinMs,
      });
      // Both connections are lost together; the other one logs it.
      reader.on('error', () => undefined);
      void reader.connect().catch(() => undefined);
      return reader;
    },
    start(withinMs) {
      const ready = new Promise((resolve) => commands.once('ready', resolve));
      // Where it fails the connection is tried again, until it is stopped.
      void commands.connect().catch(() => undefined);
      return settledWithin(ready, withinMs);
    },
    stop() {
      commands.removeAllListeners('close');
      commands.disconnect();
    },
  };
};
