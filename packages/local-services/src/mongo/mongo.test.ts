import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MongoClient, type Collection } from 'mongodb';
import { LocalServiceError } from '../local-service-error.ts';
import { startMongo, type LocalMongo } from './mongo.ts';
import { isAlive } from '../process-identity.ts';
import { stopProcess } from '../stop-process.ts';
import { temporaryDataDir } from './temporary-mongo.ts';

const portOf = ({ uri }: { uri: string }) => new URL(uri).port;

describe('startMongo', () => {
  let dataDir: string;
  const started: LocalMongo[] = [];
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    dataDir = await realpath(await temporaryDataDir());
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const mongo of started.splice(0)) await mongo.stop();
    await rm(dataDir, { recursive: true });
  });

  const start = async () => {
    const mongo = await startMongo({ dataDir });
    started.push(mongo);
    return mongo;
  };

  const withPuffs = async <T>(
    { uri }: { uri: string },
    use: (puffs: Collection, client: MongoClient) => Promise<T>,
  ) => {
    const client = new MongoClient(uri);
    try {
      return await use(client.db().collection('puffs'), client);
    } finally {
      await client.close();
    }
  };
  const write = (mongo: { uri: string }) =>
    withPuffs(mongo, (puffs) => puffs.insertOne({}, { writeConcern: { w: 'majority', journal: true } }));
  const count = (mongo: { uri: string }) => withPuffs(mongo, (puffs) => puffs.countDocuments());

  /** Starts a server in its own process group, as a terminal does. */
  const startElsewhere = async () => {
    // Bundled by the test run.
    const index = pathToFileURL(join(process.env['PUFFTRACK_TEST_PROGRAMS'] ?? '', 'index.js')).href;
    const program = `
      const { startMongo } = await import(${JSON.stringify(index)});
      const { uri, pid } = await startMongo({ dataDir: ${JSON.stringify(dataDir)} });
      console.log(JSON.stringify({ uri, pid }));
      setInterval(() => {}, 60_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return {
      child,
      server: child.pid!,
      mongo: JSON.parse(line.toString()) as { uri: string; pid: number },
      /** Kills the whole group at once, as kill -9 or a closed terminal does. */
      async kill() {
        process.kill(-child.pid!, 'SIGKILL');
        await once(child, 'exit');
      },
    };
  };

  it('keeps data and port over a restart', async () => {
    const first = await start();
    await write(first);
    await first.stop();
    expect(isAlive({ pid: first.pid })).toBe(false);
    await expect(access(join(dataDir, 'server.lock'))).rejects.toThrow('ENOENT');

    const second = await start();
    expect(second.pid).not.toBe(first.pid);
    expect(second.uri).toBe(first.uri);
    expect(await count(second)).toBe(1);
  });

  it('supports transactions and change streams', async () => {
    await withPuffs(await start(), async (puffs, client) => {
      const stream = puffs.watch();
      expect(await stream.tryNext()).toBeNull();
      await client.withSession((session) =>
        session.withTransaction(() => puffs.insertOne({ inside: true }, { session })),
      );
      expect(await stream.next()).toMatchObject({ operationType: 'insert', fullDocument: { inside: true } });
      await stream.close();
    });
  });

  it('rejects a second start in the same process and continues to run', async () => {
    const mongo = await start();
    const second = startMongo({ dataDir });
    await expect(second).rejects.toThrow(LocalServiceError);
    await expect(second).rejects.toThrow(`pid ${process.pid}`);
    await expect(second).rejects.toThrow(dataDir);
    await expect(count(mongo)).resolves.toBe(0);
  });

  it('continues with the mongod of a killed server', async () => {
    const other = await startElsewhere();
    await write(other.mongo);
    await expect(startMongo({ dataDir })).rejects.toThrow(`pid ${other.server}`);
    await other.kill();

    const mongo = await start();
    expect(mongo.pid).toBe(other.mongo.pid);
    expect(await count(mongo)).toBe(1);
  });

  it('finds the mongod of a server that was killed before it wrote the record', async () => {
    const other = await startElsewhere();
    await other.kill();
    await rm(join(dataDir, 'mongod.json'));
    const mongo = await start();
    expect([mongo.pid, mongo.uri]).toEqual([other.mongo.pid, other.mongo.uri]);
  });

  it('does not continue with a mongod that received SIGTERM', async () => {
    const other = await startElsewhere();
    await other.kill();
    const path = join(dataDir, 'mongod.json');
    await writeFile(
      path,
      JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), ending: true }),
    );
    const mongo = await start();
    expect(mongo.pid).not.toBe(other.mongo.pid);
    expect(isAlive({ pid: other.mongo.pid })).toBe(false);
  });

  it('starts after server and mongod were both killed', async () => {
    const other = await startElsewhere();
    await write(other.mongo);
    process.kill(other.mongo.pid, 'SIGKILL');
    await other.kill();
    const mongo = await start();
    expect(mongo.pid).not.toBe(other.mongo.pid);
    expect(await count(mongo)).toBe(1);
  });

  it('moves to another port and keeps the data when its port is taken', async () => {
    const first = await start();
    await write(first);
    await first.stop();
    // Closes connections that speak another protocol, as most servers do.
    const portHolder = createServer((socket) => socket.end());
    // A connection of another test may hold the port for a moment.
    for (let tries = 0; !portHolder.listening; tries++) {
      portHolder.listen(Number(portOf(first)), '127.0.0.1');
      await once(portHolder, 'listening').catch(async (error: unknown) => {
        if (tries === 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      });
    }
    try {
      const second = await start();
      expect(portOf(second)).not.toBe(portOf(first));
      expect(await count(second)).toBe(1);
      await write(second);
      await second.stop();
      const third = await start();
      expect(third.uri).toBe(second.uri);
      expect(await count(third)).toBe(2);
    } finally {
      portHolder.close();
    }
  });

  it('reports the log of mongod when mongod does not start, and releases the directory', async () => {
    const script = `#!/bin/sh
      [ "$1" = --version ] && echo "db version v6.0.5" && exit
      echo '{"s":"E","msg":"the disk is full"}'
      exit 1`;
    await writeFile(join(dataDir, 'mongod'), script, { mode: 0o755 });
    const failing = startMongo({ dataDir, env: { PATH: dataDir } });
    await expect(failing).rejects.toThrow(LocalServiceError);
    await expect(failing).rejects.toThrow(/exited while starting.*mongod\.log ends with:.*the disk is full/s);
    await expect(access(join(dataDir, 'server.lock'))).rejects.toThrow('ENOENT');
  });

  it('does not run JavaScript in queries', async () => {
    const mongo = await start();
    await write(mongo);
    const scripts: object[] = [
      { $where: 'true' },
      { $expr: { $function: { body: 'function () { return true }', args: [], lang: 'js' } } },
    ];
    for (const filter of scripts)
      await expect(withPuffs(mongo, (puffs) => puffs.find(filter).toArray())).rejects.toThrow(
        /globalScriptEngine|javascript/i,
      );
  });

  it('is rejected in production', async () => {
    const starting = startMongo({ dataDir, env: { ...process.env, NODE_ENV: 'production' } });
    await expect(starting).rejects.toThrow(/NODE_ENV=production.*Set MONGODB_URI/);
  });

  it('names a data directory that cannot be used', async () => {
    const file = join(dataDir, 'a-file');
    await writeFile(file, '');
    await expect(startMongo({ dataDir: join(file, 'below') })).rejects.toThrow(/data directory .*a-file/);
  });
});

describe('stopProcess', () => {
  it('kills a process that ignores SIGTERM', async () => {
    const program = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('ready')";
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    await stopProcess({ pid: child.pid! }, 200);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });
});
