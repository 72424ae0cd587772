import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildTestPrograms, localServices, programsDirectory } from './test-programs.mjs';

/**
 * One MongoDB and one Redis for all test files, at PUFFTRACK_TEST_MONGODB_URI and PUFFTRACK_TEST_REDIS_URL; each file
 * makes databases of its own, and Redis keys begin with their names.
 */
export default async () => {
  await buildTestPrograms();
  process.env.PUFFTRACK_TEST_PROGRAMS = programsDirectory;
  const watchdog = spawn(process.execPath, [join(import.meta.dirname, 'jest-watchdog.mjs')], {
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  const { startRedis, startTemporaryMongo } = await import(localServices);
  const ends = [];
  globalThis.pufftrackEndTestServers = () => Promise.all(ends.map((end) => end()));

  process.env.PUFFTRACK_TEST_REDIS_URL = process.env.REDIS_URL;
  if (!process.env.REDIS_URL) {
    const redis = await startRedis({ log: (line) => console.error(line) });
    watchdog.stdin.write(`${JSON.stringify(redis.process)}\n`);
    process.env.PUFFTRACK_TEST_REDIS_URL = redis.url;
    ends.push(redis.stop);
  }
  process.env.PUFFTRACK_TEST_MONGODB_URI = process.env.MONGODB_URI;
  if (!process.env.MONGODB_URI) {
    const mongo = await startTemporaryMongo({ log: (line) => console.error(line), inMemory: true });
    process.env.PUFFTRACK_TEST_MONGODB_URI = mongo.uri;
    ends.push(mongo.stop);
  }
  // Servers that tests start as processes are told their database and Redis, or find one of their own.
  delete process.env.MONGODB_URI;
  delete process.env.REDIS_URL;
};
