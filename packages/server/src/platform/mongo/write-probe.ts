import type { Connection } from 'mongoose';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createPoller } from '../concurrency/poller.ts';

/** How old (ms) the last write may be while the process is ready. */
export const writesFreshForMs = 10_000;
const probeEveryMs = 2_000;

/** Whether the database takes writes: one whose disk stands still answers reads and is primary all the same. */
export interface WriteProbe {
  /** True where a write was acknowledged, as puffs are, within the time that it stays fresh. */
  takesWrites(): boolean;
  start(): void;
  stop(): Promise<void>;
}

/** Changes one small document; resolves when a majority has it on disk. */
export const probeWrite = async (connection: Connection): Promise<void> => {
  await connection
    .collection<{ _id: string }>('writeprobes')
    .updateOne({ _id: 'probe' }, { $currentDate: { at: true } }, { upsert: true });
};

/**
 * Writes every 2 s, one write at a time, whatever else is written: the last success of one plain write is easier to
 * trust than what can be gathered from all others, and costs the database nothing that shows.
 */
export const createWriteProbe = (deps: {
  write: () => Promise<void>;
  /** Monotonic, in ms. */
  now: () => number;
  log: Logger;
  metrics: Metrics;
  freshForMs?: number;
  everyMs?: number;
}): WriteProbe => {
  const { write, now, log, freshForMs = writesFreshForMs, everyMs = probeEveryMs } = deps;
  let lastWriteAt = now();
  let isStalled = false;
  const takesWrites = () => now() - lastWriteAt < freshForMs;

  const poller = createPoller({
    async poll() {
      await write();
      lastWriteAt = now();
      if (isStalled) log.warn({ event: 'database.writes_resumed' }, 'database writes recovered');
      isStalled = false;
    },
    everyMs,
    onFailed(error) {
      if (isStalled || takesWrites()) return;
      isStalled = true;
      log.error({ event: 'database.writes_stalled', err: error }, 'database writes stalled');
    },
  });
  deps.metrics.watched(
    { name: 'database_last_write_seconds', help: 'Age of the last acknowledged write of the probe' },
    () => (now() - lastWriteAt) / 1_000,
  );

  return {
    takesWrites,
    start() {
      lastWriteAt = now();
      poller.pollNow();
      poller.start();
    },
    stop: () => poller.stop(),
  };
};
