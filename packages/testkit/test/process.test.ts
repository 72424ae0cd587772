// @not-split: starts the program itself
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createClient, type Client } from '@pufftrack/client';
import { temporaryDataDir } from '@pufftrack/local-services';
import { developmentToken } from '../src/demo/token.ts';
import {
  eventually,
  spawnProgram,
  startServerProcess,
  type ServerProcess,
  recordEvents,
} from '../src/index.ts';

const main = 'packages/server/src/main.ts';

/** The signing keys of a database belong to one master key, and each test has its own. */
const ownDatabase = (): string => {
  const own = new URL(process.env['PUFFTRACK_TEST_MONGODB_URI'] ?? '');
  own.pathname = `/process_${randomUUID().slice(0, 8)}`;
  return own.href;
};

describe('the server as a process', () => {
  let dataDir: string;
  let servers: ServerProcess[];
  let clients: Client[];

  beforeEach(async () => {
    dataDir = await temporaryDataDir();
    [servers, clients] = [[], []];
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    for (const server of servers) await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const start = async (env: Readonly<Record<string, string>>) => {
    const server = await startServerProcess({
      DATA_DIR: dataDir,
      PORT: '0',
      PUBLIC_URL: 'http://pufftrack.test',
      ...env,
    });
    servers.push(server);
    return server;
  };

  it('starts without configuration, logs the address of its docs, and keeps its data over a restart', async () => {
    const first = await start({});
    const answer = await fetch(`${first.url}/docs/`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('swagger-ui');
    const token = await developmentToken('alice', dataDir);
    expect(first.output()).toContain(`${first.url}/docs`);
    expect(first.output()).toContain('npm run demo -- token alice');
    expect((await stat(join(dataDir, 'master-key'))).mode & 0o777).toBe(0o600);
    expect(await first.stop()).toBe(0);

    const second = await start({ PORT: String(first.port) });
    const me = await fetch(`${second.url}/users/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(await me.json()).toMatchObject({ name: 'Alice' });
    expect(await second.stop()).toBe(0);
    // Two starts of a database take their time where the machine is busy.
  });

  it('reports every configuration error at once and exits', async () => {
    const { ended, output } = spawnProgram(main, { NODE_ENV: 'production', PORT: 'x', MASTER_KEY: 'short' });
    expect(await ended).toBe(78);
    for (const name of ['PORT', 'MASTER_KEY', 'MONGODB_URI', 'APPLE_CLIENT_IDS', 'PUBLIC_URL'])
      expect(output()).toContain(name);
  });

  it('exits with a clear message if the database does not answer', async () => {
    const { ended, output } = spawnProgram(main, {
      DATA_DIR: dataDir,
      PORT: '0',
      MONGODB_URI: 'mongodb://user:secret@127.0.0.1:9/pufftrack',
    });
    expect(await ended).toBe(1);
    expect(output()).toContain('MongoDB does not answer at 127.0.0.1:9');
    expect(output()).toMatch(
      /^\{"level":60,.*"event":"process.start_failed","reason":"MongoDB does not answer/m,
    );
    expect(output()).not.toMatch(/ECONNREFUSED|secret/);
  });

  it.each([
    ['warns in production without METRICS_PORT', {}, true],
    ['does not warn in production with METRICS_PORT', { METRICS_PORT: '9464' }, false],
  ])('%s', async (_what, metrics, isWarned) => {
    const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const { ended, output } = spawnProgram(main, {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://api.example.com',
      MONGODB_URI: 'mongodb://127.0.0.1:9/pufftrack?replicaSet=rs0&serverSelectionTimeoutMS=500',
      APPLE_CLIENT_IDS: 'com.example.app',
      APPLE_TEAM_ID: 'TEAM000001',
      APPLE_KEY_ID: 'KEY0000001',
      APPLE_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
      RATE_LIMIT_SCALE: '1',
      ...metrics,
    });
    expect(await ended).toBe(1);
    expect(output().includes('metrics disabled: METRICS_PORT not set')).toBe(isWarned);
  });

  it.each(['/proc/x/data', '/dev/null', '/dev/null/data'])(
    'exits with a clear message if DATA_DIR is %s',
    async (unusable) => {
      const { ended, output } = spawnProgram(main, { DATA_DIR: unusable, PORT: '0' });
      expect(await ended).toBe(1);
      expect(output()).toMatch(
        new RegExp(`^The data directory ${unusable} cannot be used \\(E[A-Z]+\\)`, 'm'),
      );
    },
  );

  it('exits after a signal during the start of its database', async () => {
    // A mongod that never gets ready.
    const bin = join(dataDir, 'bin');
    await mkdir(bin);
    const program = '#!/bin/sh\n[ "$1" = --version ] && echo "db version v6.0.5" && exit\nexec sleep 600\n';
    await writeFile(join(bin, 'mongod'), program, { mode: 0o755 });
    const { child, ended, output } = spawnProgram(main, {
      DATA_DIR: dataDir,
      PORT: '0',
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    });
    const record = async () => {
      const text = await readFile(join(dataDir, 'mongod.json'), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : (JSON.parse(text) as { pid: number }).pid;
    };
    let pid = 0;
    await eventually('a mongod is started', async () => (pid = (await record()) ?? 0) > 0);
    try {
      child.kill('SIGTERM');
      expect(await ended).toBe(1);
      // The signal ended it, and not the end of its patience with the database.
      expect(output()).not.toContain('was not ready within');
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it('exits with a clear message if the port is in use', async () => {
    const taken = await start({});
    const { ended, output } = spawnProgram(main, {
      DATA_DIR: join(dataDir, 'other'),
      MONGODB_URI: process.env['PUFFTRACK_TEST_MONGODB_URI'] ?? '',
      PORT: String(taken.port),
    });
    expect(await ended).toBe(1);
    expect(output()).toContain(`Port ${taken.port} of 127.0.0.1 is taken by another program. Set PORT`);
    expect(output()).not.toContain('EADDRINUSE');
  });

  it('serves requests while nothing reads its log, and loses no log line', async () => {
    const server = await start({ MONGODB_URI: ownDatabase() });
    server.pauseOutput();
    // Each refusal is a line; together they are far more than a pipe and its ends hold.
    const calls = 4_000;
    const refuse = async (): Promise<void> => {
      const { status } = await fetch(`${server.url}/users/me`, {
        headers: { authorization: 'Bearer rubbish' },
      });
      // A busy machine sheds load; such a call leaves no line.
      if (status === 503) return refuse();
      if (status !== 401) throw new Error(`answered ${status}`);
    };
    for (let sent = 0; sent < calls; sent += 100)
      await Promise.all(Array.from({ length: 100 }, () => refuse()));
    const isReady = async () => (await fetch(`${server.url}/health/ready`)).status === 200;
    await eventually('the process is ready', isReady);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('pufftrack_log_lines_lost 0');
    server.resumeOutput();
    expect(await server.stop()).toBe(0);
    expect(server.output().match(/"auth.refused"/g)).toHaveLength(calls);
    expect(server.output().length).toBeGreaterThan(10 * 65_536);
  });

  it('exits although nothing reads its log', async () => {
    const server = await start({ MONGODB_URI: ownDatabase() });
    server.pauseOutput();
    for (let sent = 0; sent < 4_000; sent += 100)
      await Promise.all(
        Array.from({ length: 100 }, () =>
          fetch(`${server.url}/users/me`, { headers: { authorization: 'Bearer rubbish' } }),
        ),
      );
    expect(await server.stop()).toBe(0);
  });

  it('finishes the request in flight, notifies its sockets, and exits with 0', async () => {
    const server = await start({ MONGODB_URI: ownDatabase() });
    const token = await developmentToken('bob', dataDir);
    const client = createClient({ baseUrl: server.url, now: () => Date.now() });
    clients.push(client);
    await client.setTokens({ accessToken: token, refreshToken: '', expiresAt: Infinity });
    const socket = recordEvents(client.connect());
    await socket.next('ready');

    // A request whose body is still on its way when the signal comes.
    const body = JSON.stringify({ quantity: 1 });
    const open = connect(server.port, '127.0.0.1');
    let answer = '';
    open.setEncoding('latin1').on('data', (text: string) => (answer += text));
    open.write(
      `POST /puffs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n{`,
    );
    await socket.puff();
    const stopped = server.stop();
    await socket.next('serverDraining');
    const refused = await fetch(`${server.url}/health/ready`).then(
      ({ status }) => status,
      () => 'refused',
    );
    expect(['refused', 503]).toContain(refused);
    open.write(body.slice(1));
    expect(await stopped).toBe(0);
    expect(answer.slice(9, 12)).toBe('201');
    expect(answer).toMatch(/connection: close/i);
    expect(server.output()).not.toMatch(/"level":(50|60)/);
    socket.close();
  });
});
