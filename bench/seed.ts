import { randomUUID } from 'node:crypto';
import { systemClock } from '../packages/server/src/platform/clock.ts';
import { createLogger } from '../packages/server/src/platform/telemetry/logger.ts';
import { connectMongo } from '../packages/server/src/platform/mongo/connect.ts';
import { createMetrics } from '../packages/server/src/platform/telemetry/metrics.ts';
import { createCheckpointStore } from '../packages/server/src/services/puffs/state/checkpoint-store.ts';
import { createBulkLogStore } from '../packages/server/src/services/puffs/log/bulk-log-store.ts';
import { createPuffLog } from '../packages/server/src/services/puffs/commit/puff-log.ts';
import { createPuffMetrics } from '../packages/server/src/services/puffs/log/puff-metrics.ts';
import { newPuff } from '../packages/server/src/services/puffs/domain/puff.ts';
import { createPuffStore } from '../packages/server/src/services/puffs/log/puff-store.ts';
import { createRecountStore } from '../packages/server/src/services/puffs/state/recount-store.ts';

const dayMs = 86_400_000;
const batchSize = 1_000;

/** Puts `count` puffs, spread evenly over the last `years`, into a person's log, the way the program does. */
export const seedLog = async (uri: string, person: string, count: number, years: number): Promise<void> => {
  const connection = await connectMongo(uri);
  const log = createPuffLog({
    store: createPuffStore(connection),
    recounts: createRecountStore(connection),
    checkpoints: createCheckpointStore(connection),
    bulk: createBulkLogStore(connection),
    findDeletedUsers: () => Promise.resolve([]),
    admission: { check: () => 'granted', read: () => Promise.resolve() },
    clock: systemClock,
    log: createLogger({ level: 'silent' }),
    metrics: createPuffMetrics(createMetrics()),
  });
  const now = Date.now();
  const span = (years * 365 - 1) * dayMs;
  const puffAt = (index: number) =>
    newPuff(
      {
        id: randomUUID(),
        timestamp: new Date(now - span + Math.floor(((index + 0.5) * span) / count)).toISOString(),
      },
      { timeZone: 'Europe/Berlin', product: 'vape' },
      now,
      'seed',
    );
  for (let from = 0; from < count; from += batchSize)
    await log.append(
      person,
      Array.from({ length: Math.min(batchSize, count - from) }, (_, index) => puffAt(from + index)),
      0,
    );
  await log.stop();
  await connection.close();
};
