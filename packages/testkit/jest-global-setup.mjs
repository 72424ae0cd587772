import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { tsImport } from 'tsx/esm/api';

/** One MongoDB for all test files, at PUFFTRACK_TEST_MONGODB_URI; each file makes databases of its own in it. */
export default async () => {
  spawn(process.execPath, [join(import.meta.dirname, 'jest-watchdog.mjs')], {
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'ignore', 'ignore'],
  }).unref();
  if (process.env.MONGODB_URI) {
    process.env.PUFFTRACK_TEST_MONGODB_URI = process.env.MONGODB_URI;
    // Servers that tests start as processes are told their database, or find one of their own.
    delete process.env.MONGODB_URI;
    return;
  }
  const { startTemporaryMongo } = await tsImport('../local-services/src/index.ts', import.meta.url);
  const mongo = await startTemporaryMongo({ log: (line) => console.error(line) });
  process.env.PUFFTRACK_TEST_MONGODB_URI = mongo.uri;
  globalThis.pufftrackEndTestMongo = mongo.stop;
};
