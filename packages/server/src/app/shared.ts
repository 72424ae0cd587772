import { noBus, type Bus } from '../platform/bus/bus.ts';
import { createRedisBus } from '../platform/bus/redis-bus.ts';
import type { Clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import { createRedisRateStore } from '../platform/limits/redis-rate-store.ts';
import { createMemoryRateStore, type RateStore } from '../platform/limits/rate-store.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { LoadPayload } from '../platform/realtime/across-processes/payload-loads.ts';
import { shareRealtime } from '../platform/realtime/across-processes/shared-realtime.ts';
import { createSocketPlaces, type SocketQuota } from '../platform/realtime/across-processes/socket-quota.ts';
import { maxSocketsPerPerson, type Realtime } from '../platform/realtime/socket-server.ts';
import { createRedisLink } from '../platform/bus/redis-link.ts';

/** What the processes on one database have together beside it. */
export interface Shared {
  readonly bus: Bus;
  readonly rateStore: RateStore;
  /** Undefined: the bound that each process keeps is all. */
  readonly socketPlaces: SocketQuota | undefined;
  /** What the processes share of one account. Nothing fails where Redis is away: its keys name nobody and expire. */
  readonly personalData: { eraseUser(userId: string): Promise<number> };
  /** From the sockets of this process to those of all. */
  realtimeOf(local: () => Realtime, load: LoadPayload): () => Realtime;
  state(): 'up' | 'down' | 'off';
  /** From here on nothing that others say is missed; every listener has to be there. */
  follow(): Promise<void>;
  stop(): Promise<void>;
}

const redisAnswersAtStartMs = 3_000;

const alone = (): Shared => ({
  bus: noBus,
  rateStore: createMemoryRateStore(),
  socketPlaces: undefined,
  personalData: { eraseUser: () => Promise.resolve(0) },
  realtimeOf: (local) => local,
  state: () => 'off',
  follow: () => Promise.resolve(),
  stop: () => Promise.resolve(),
});

/** Through Redis; without an address this process is the only one, and shares nothing. */
export const openShared = async (deps: {
  parts: Lifecycle;
  redisUrl: string | undefined;
  /** Processes belong together where they share a database. */
  database: string;
  clock: Clock;
  log: Logger;
}): Promise<Shared> => {
  const { parts, redisUrl, database, clock, log } = deps;
  if (redisUrl === undefined) return alone();
  const redis = createRedisLink({ url: redisUrl, prefix: `pufftrack:${database}:`, log });
  await parts.start('redis', () => redis.start(redisAnswersAtStartMs), redis.stop);
  const bus = createRedisBus({ redis, log });
  const socketPlaces = createSocketPlaces(redis, maxSocketsPerPerson);
  return {
    bus,
    rateStore: createRedisRateStore(redis),
    socketPlaces,
    personalData: {
      async eraseUser(userId) {
        await socketPlaces.forget(userId);
        await bus.trim();
        return 0;
      },
    },
    realtimeOf(local, load) {
      const realtime = shareRealtime({ local, bus, load, clock, log });
      return () => realtime;
    },
    state: () => (bus.isWhole() ? 'up' : 'down'),
    follow: bus.start,
    stop: bus.stop,
  };
};
