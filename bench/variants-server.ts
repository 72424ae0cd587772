import type { AddressInfo } from 'node:net';
import { endpoints, type PuffAnswer } from '@pufftrack/contract';
import express, { type Express, type Request } from 'express';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Schema } from 'mongoose';
import { Server } from 'socket.io';
import { z } from 'zod';
import { noBus } from '../packages/server/src/platform/bus/bus.ts';
import { systemClock } from '../packages/server/src/platform/clock.ts';
import { requestDeadlineMs } from '../packages/server/src/platform/concurrency/deadline.ts';
import { createHttpServer } from '../packages/server/src/platform/http/server.ts';
import { createHttpMetrics } from '../packages/server/src/platform/http/http-metrics.ts';
import { createOriginPolicy } from '../packages/server/src/platform/edge/origins.ts';
import { answer, route } from '../packages/server/src/platform/http/route.ts';
import { createRateLimits } from '../packages/server/src/platform/limits/rate-limits.ts';
import { createMemoryRateStore } from '../packages/server/src/platform/limits/rate-store.ts';
import { newUuid } from '../packages/server/src/platform/ids.ts';
import { createLogger } from '../packages/server/src/platform/telemetry/logger.ts';
import { connectMongo } from '../packages/server/src/platform/mongo/connect.ts';
import { createMetrics } from '../packages/server/src/platform/telemetry/metrics.ts';
import { createServices } from '../packages/server/src/app/services.ts';
import { noSockets } from '../packages/server/src/platform/realtime/socket-server.ts';

// What `bench -- record` and `bench -- fanout` compare the program with; the HTTP ones with the program's own token check:
//   POST /puffs         (b) parse, validate and answer the same bytes, without Express; no database
//   POST /puffs?        (b) the same through Express
//   POST /mongoose      (c) Express + Mongoose create()
//   POST /transaction   (d) Express + one transaction with a count for each puff
//   socket `puff`       (e) a bare ack
//   socket `fan`        a bare emit of its payload to the room of its listeners
//   socket `createFan`  Mongoose create(), then such an emit

const env = z
  .object({
    MONGODB_URI: z.string(),
    MASTER_KEY: z.string(),
    PUBLIC_URL: z.string(),
    SAMPLE: z.string(),
    /** Two of these servers are one room by it. */
    REDIS_URL: z.string().optional(),
  })
  .parse(process.env);
const sample = JSON.parse(env.SAMPLE) as Extract<PuffAnswer, { status: 'created' }>;
const log = createLogger({ level: 'silent' });
const metrics = createMetrics();
const connection = await connectMongo(env.MONGODB_URI);
const { auth } = createServices({
  connection,
  clock: systemClock,
  log,
  bus: noBus,
  sharedData: { eraseUser: () => Promise.resolve(0) },
  metrics,
  auth: {
    appleBaseUrl: 'http://127.0.0.1:9',
    appleIssuers: ['https://appleid.apple.com'],
    appleClientIds: ['bench'],
    appleTeam: undefined,
    deviceCheckMode: 'off',
    deviceCheckBaseUrl: 'http://127.0.0.1:9',
    publicUrl: env.PUBLIC_URL,
    masterKey: Buffer.from(env.MASTER_KEY, 'base64'),
  },
  apns: undefined,
  realtime: () => noSockets,
});
await auth.start();

const puffSchema = new Schema(
  {
    person: { type: String, required: true },
    clientId: { type: String, required: true },
    timestamp: { type: Date, required: true },
    timeZone: { type: String, required: true },
    quantity: { type: Number, required: true, min: 1, max: 50 },
    product: { type: String, enum: ['vape', 'cigarette'], required: true },
    receivedAt: { type: Date, required: true },
  },
  { collection: 'bench_puffs' },
);
puffSchema.index({ person: 1, clientId: 1 }, { unique: true });
puffSchema.index({ person: 1, timestamp: 1 });
const Puff = connection.model('BenchPuff', puffSchema);
const Count = connection.model(
  'BenchCount',
  new Schema({ _id: String, total: Number }, { collection: 'bench_counts' }),
);
await Puff.createCollection();
await Puff.createIndexes();
await Count.createCollection();

const personOf = async (req: Request): Promise<string> => {
  const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
  return (await auth.authenticate(token ?? '')).userId;
};
const puffValues = (person: string, clientId: string) => ({
  person,
  clientId,
  timestamp: new Date(),
  timeZone: 'Europe/Berlin',
  quantity: 1,
  product: 'vape' as const,
  receivedAt: new Date(),
});
const puffOf = async (req: Request) => puffValues(await personOf(req), (req.body as { id: string }).id);

const plainExpress = (app: Express) => {
  app.post('/mongoose', express.json(), async (req, res) => {
    const puff = await Puff.create(await puffOf(req));
    res.status(201).json({ status: 'created', puff });
  });
  app.post('/transaction', express.json(), async (req, res) => {
    const values = await puffOf(req);
    const session = await connection.startSession();
    try {
      await session.withTransaction(async () => {
        await Puff.create([values], { session });
        await Count.updateOne({ _id: values.person }, { $inc: { total: 1 } }, { upsert: true, session });
      });
    } finally {
      await session.endSession();
    }
    res.status(201).json({ status: 'created', puff: values });
  });
};

const http = createHttpServer({
  routes: [route(endpoints.recordPuff, () => Promise.resolve(answer(201, sample)))],
  pages: [plainExpress],
  authenticate: auth.authenticate,
  requireFreshSignIn: auth.requireFreshSignIn,
  limits: createRateLimits({ store: createMemoryRateStore(), clock: systemClock, scale: 100_000, metrics }),
  isOriginAllowed: createOriginPolicy([], 'http://127.0.0.1'),
  hasSockets: true,
  trustedHops: 0,
  minAppBuild: 0,
  log,
  flushed: noBus.flushed,
  metrics: createHttpMetrics(metrics),
  connectionMetrics: metrics,
  // All listeners of two variants have one address.
  connectionLimits: { connectionsPerAddress: 10_000 },
  validateAnswers: false,
  phase: () => 'open',
  requireCapacity: () => undefined,
  requestDeadlineMs,
});
const io = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  ...(env.REDIS_URL !== undefined && { adapter: createAdapter(new Redis(env.REDIS_URL)) }),
});
io.on('connection', (socket) => {
  // The token of a listener is the event that it wants to hear of.
  void socket.join(String(socket.handshake.auth['token']));
  socket.on('puff', (_payload: unknown, ack: (value: object) => void) => {
    ack(sample);
  });
  socket.on('fan', (payload: unknown, ack: (value: object) => void) => {
    io.to('fan').emit('friendPuff', payload);
    ack({});
  });
  socket.on('createFan', async (payload: unknown, ack: (value: object) => void) => {
    await Puff.create(puffValues('sharer', newUuid()));
    io.to('createFan').emit('friendPuff', payload);
    ack({});
  });
});

await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
process.stdout.write(`{"port":${(http.address() as AddressInfo).port}}\n`);
process.on('SIGTERM', () => process.exit(0));
