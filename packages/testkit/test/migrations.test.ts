// @not-split: starts the program itself
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { temporaryDataDir } from '@pufftrack/local-services';
import { MongoClient } from 'mongodb';
import { spawnProgram, startServerProcess, type ServerProcess } from '../src/index.ts';

const main = 'packages/server/src/main.ts';
const count = (text: string, part: string) => text.split(part).length - 1;

describe('migrations and commands of the program', () => {
  let dataDir: string;
  let uri: string;
  let mongo: MongoClient;
  let servers: ServerProcess[];
  let env: Record<string, string>;

  beforeEach(async () => {
    dataDir = await temporaryDataDir();
    const own = new URL(process.env['PUFFTRACK_TEST_MONGODB_URI'] ?? '');
    own.pathname = `/test_${randomBytes(6).toString('hex')}`;
    uri = own.href;
    mongo = await MongoClient.connect(uri);
    servers = [];
    env = { DATA_DIR: dataDir, PORT: '0', MONGODB_URI: uri };
  });
  afterEach(async () => {
    for (const server of servers) await server.stop();
    await mongo.db().dropDatabase();
    await mongo.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const start = async (more: Readonly<Record<string, string>> = {}) => {
    const server = await startServerProcess({ ...env, ...more });
    servers.push(server);
    return server;
  };
  const run = async (args: readonly string[], environment = env) => {
    const { ended, output } = spawnProgram(main, environment, args);
    return { code: await ended, output: output() };
  };

  it('each runs once where two servers start at once on an empty database', async () => {
    const master = { MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };
    const [left, right] = await Promise.all([start(master), start(master)]);
    const output = left.output() + right.output();
    const rows = await mongo.db().collection('migrations').find().toArray();
    expect(rows.length).toBeGreaterThan(0);
    for (const { _id, endedAt } of rows) {
      expect(count(output, `"migration":"${String(_id)}"`)).toBe(1);
      expect(endedAt).toBeInstanceOf(Date);
    }
  });

  it('replace the indexes of a database that an older version has made', async () => {
    await mongo
      .db()
      .collection('puffrecords')
      .createIndexes([{ key: { person: 1, timestamp: 1 } }]);
    await mongo
      .db()
      .collection('friendconnections')
      .createIndexes([{ key: { people: 1 } }]);
    const { code, output } = await run(['migrate']);
    expect(output).toContain(
      'Ran 0001-order-friend-indexes, 0002-order-puff-index, 0003-date-late-entries, 0004-drop-hidden-months, 0005-compact-goal-histories.',
    );
    expect(code).toBe(0);
    const names = async (collection: string) =>
      (await mongo.db().collection(collection).indexes()).map(({ name }) => name);
    expect(await names('puffrecords')).toEqual([
      '_id_',
      'person_1_timestamp_1_rev_1',
      'person_1_rev_1',
      'purgeAt_1',
    ]);
    expect(await names('friendconnections')).toEqual(['_id_', 'people_1_since_1__id_1']);
    expect((await run(['migrate'])).output).toContain('Nothing to migrate');
  });

  it('that fail stop the start with their name, and are mended by the next one', async () => {
    const records = mongo.db().collection('puffrecords');
    await records.createIndexes([{ key: { person: -1 }, name: 'person_1_timestamp_1_rev_1' }]);
    const { code, output } = await run([]);
    expect(code).toBe(1);
    expect(output).toMatch(/^Migration 0002-order-puff-index failed: .*Nothing after it has run/m);
    await records.dropIndex('person_1_timestamp_1_rev_1');
    expect((await run(['migrate'])).output).toContain(
      'Ran 0002-order-puff-index, 0003-date-late-entries, 0004-drop-hidden-months, 0005-compact-goal-histories.',
    );
  });

  it('jobs are listed and run by hand, beside a server with an embedded database', async () => {
    const embedded = { DATA_DIR: dataDir, PORT: '0' };
    await startServerProcess(embedded).then((server) => servers.push(server));
    const done = await run(['job', 'aggregate', '--date', '2026-01-31'], embedded);
    expect(done.output).toContain(
      'aggregate is done for 2026-01-31T00:00:00.000Z to 2026-02-01T00:00:00.000Z',
    );
    expect(done.code).toBe(0);
    const { output } = await run(['job', 'list'], embedded);
    for (const name of ['daily-stats', 'streak-updates', 'aggregate', 'reconcile'])
      expect(output).toMatch(new RegExp(`^${name}: `, 'm'));
    // By hand, or by the server itself, which may have had its turn since.
    expect(output).toMatch(/^aggregate: .*\n +last run .* done, \d+ ms, \{"figures":\d+\}/m);

    const wrong = await run(['job', 'nothing'], embedded);
    expect([wrong.code, wrong.output]).toEqual([1, expect.stringContaining('Unknown job nothing')]);
    expect((await run(['jobs'], embedded)).code).toBe(64);
  });
});
