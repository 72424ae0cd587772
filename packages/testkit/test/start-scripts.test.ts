import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { spawnProgram } from '../src/server-process.ts';

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
  it('in any of the ways to start the program', () => {
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
