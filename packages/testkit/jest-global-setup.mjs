import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tsImport } from 'tsx/esm/api';

const prefix = 'pufftrack-jest-';

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** A run that was killed leaves a mongod of its own process group behind: take it over, end it, forget its data. */
const endAbandoned = async (startMongo) => {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length)) : undefined;
    if (!pid || isAlive(pid)) continue;
    const dataDir = join(tmpdir(), name);
    try {
      const mongo = await startMongo({ dataDir });
      await mongo.stop();
      await rm(dataDir, { recursive: true, force: true });
    } catch {
      // Another run is doing the same, or the directory is another person's.
    }
  }
};

/** One MongoDB for all test files, at PUFFTRACK_TEST_MONGODB_URI; each file makes databases of its own in it. */
export default async () => {
  if (process.env.MONGODB_URI) {
    process.env.PUFFTRACK_TEST_MONGODB_URI = process.env.MONGODB_URI;
    return;
  }
  const { startMongo } = await tsImport('../local-services/src/index.ts', import.meta.url);
  await endAbandoned(startMongo);
  const dataDir = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  const mongo = await startMongo({ dataDir, log: (line) => console.error(line) });
  process.env.PUFFTRACK_TEST_MONGODB_URI = mongo.uri;

  let ended;
  const end = () =>
    (ended ??= (async () => {
      await mongo.stop();
      await rm(dataDir, { recursive: true, force: true });
    })());
  globalThis.pufftrackEndTestMongo = end;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => void end().finally(() => process.kill(process.pid, signal)));
};
