import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually, spawnProgram } from '../src/index.ts';

const { scripts } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};
/** Scripts that run the server, or start one in their own process. */
const starts = Object.entries(scripts).filter(([, script]) =>
  /(?:^| )(?:node|tsx) .*(?:packages\/server\/(?:dist|src)\/main|packages\/testkit\/src|bench\/main)/.test(
    script,
  ),
);

describe('__proto__ does not exist', () => {
  it('in any start script', () => {
    expect(starts.map(([name]) => name)).toEqual(
      expect.arrayContaining(['start', 'dev', 'job', 'migrate', 'keys:rotate', 'reports', 'demo', 'bench']),
    );
    const unsafe = starts.filter(([, script]) => !/(?:node|tsx watch) --disable-proto=delete /.test(script));
    expect(unsafe).toEqual([]);
  });

  it('in the server processes of tests and benchmarks', async () => {
    const { child, ended } = spawnProgram('packages/server/src/main.ts', {});
    child.kill('SIGKILL');
    await ended;
    expect(child.spawnargs).toContain('--disable-proto=delete');
  });
});

it('a server process of a test does not touch the data of a development server', async () => {
  const announcement = resolve(import.meta.dirname, '../../../.data/development.json');
  const writtenAt = () => (existsSync(announcement) ? statSync(announcement).mtimeMs : undefined);
  const before = writtenAt();
  const uri = new URL(process.env['PUFFTRACK_TEST_MONGODB_URI'] ?? '');
  uri.pathname = `/test_${randomBytes(6).toString('hex')}`;
  const server = spawnProgram('packages/server/src/main.ts', { PORT: '0', MONGODB_URI: uri.href });
  const own = resolve(server.dataDir, 'development.json');
  try {
    await eventually('it announces itself', () => existsSync(own));
    expect(writtenAt()).toBe(before);
  } finally {
    server.child.kill();
    await server.ended;
  }
  expect(existsSync(server.dataDir)).toBe(false);
});
