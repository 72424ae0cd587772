import { z } from 'zod';
import { createLogger } from '../src/platform/telemetry/logger.ts';
import { connectMongo } from '../src/platform/mongo/connect.ts';
import { createOutboxStore } from '../src/platform/outbox/outbox-store.ts';
import { createOutboxWorker } from '../src/platform/outbox/outbox-worker.ts';
import type { OutboxStore } from '../src/platform/outbox/outbox.ts';
import { createApnsClient } from '../src/services/notifications/push/apns/apns-client.ts';
import { createDeviceStore } from '../src/services/notifications/push/device-store.ts';
import { createInboxStore } from '../src/services/notifications/inbox/inbox-store.ts';
import { createPreferencesStore } from '../src/services/notifications/preferences/preferences-store.ts';
import { createPushDayStore } from '../src/services/notifications/push/push-day-store.ts';
import {
  createPushHandler,
  pushLivesMs,
  type PushJob,
} from '../src/services/notifications/push/push-service.ts';

// Runs the queued pushes once and ends, or kills itself (SIGKILL) at a given step, to test that a killed worker neither
// loses a push nor shows it twice.
const env = z
  .object({
    MONGODB_URI: z.string(),
    NOW: z.coerce.number(),
    DIE_AT: z.enum(['', 'claimed', 'device-jobs-added', 'before-send', 'after-200', 'before-mark']),
    APNS: z.string(),
  })
  .parse(process.env);
const die = (step: typeof env.DIE_AT) => {
  if (env.DIE_AT === step) process.kill(process.pid, 'SIGKILL');
};
const config = z
  .object({
    teamId: z.string(),
    keyId: z.string(),
    privateKey: z.string(),
    topic: z.string(),
    baseUrl: z.string(),
    ca: z.string(),
  })
  .parse(JSON.parse(env.APNS));

const connection = await connectMongo(env.MONGODB_URI);
const clock = { now: () => env.NOW };
const log = createLogger({ level: 'silent' });
const real = createOutboxStore<PushJob>(connection, 'pushes');
const outbox: OutboxStore<PushJob> = {
  ...real,
  async add(job, tx) {
    const added = await real.add(job, tx);
    die('device-jobs-added');
    return added;
  },
  async finish(job, now) {
    if (job.payload.deviceId !== undefined) die('before-mark');
    await real.finish(job, now);
  },
};
const apns = createApnsClient(config, clock);
const handle = createPushHandler({
  outbox,
  inbox: createInboxStore(connection),
  preferences: createPreferencesStore(connection),
  devices: createDeviceStore(connection),
  days: createPushDayStore(connection),
  users: {
    settingsOfMany: (ids) =>
      Promise.resolve(
        new Map(ids.map((id) => [id, { name: null, timeZone: 'UTC', consents: new Set(['push' as const]) }])),
      ),
  },
  sessions: { endedSessions: () => Promise.resolve([]) },
  apns: {
    async send(push) {
      die('before-send');
      const outcome = await apns.send(push);
      die('after-200');
      return outcome;
    },
  },
  topic: config.topic,
  clock,
  log,
});
const worker = createOutboxWorker<PushJob>({
  name: 'pushes',
  store: outbox,
  handle: (job) => {
    die('claimed');
    return handle(job);
  },
  giveUpAfterMs: pushLivesMs,
  atOnce: 4,
  clock,
  log,
});
await worker.run();
await worker.stop();
apns.close();
await connection.close();
