import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../../..');
const maxLines = 300;
const maxFiles = 15;

/** Source files below a folder of the repository, without tests. */
const sourcesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|(^|\/)(node_modules|dist)\//.test(name))
    .map((name) => `${folder}/${name}`);
const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/src`);
const sources = [...packages, 'bench', 'openapi', 'scripts'].flatMap(sourcesOf);

describe('the source tree', () => {
  it(`has no file above ${maxLines} lines`, () => {
    expect(sources.length).toBeGreaterThan(400);
    const lines = (path: string) => readFileSync(join(root, path), 'utf8').split('\n').length - 1;
    expect(sources.filter((path) => lines(path) > maxLines)).toEqual([]);
  });

  it(`has no folder above ${maxFiles} source files`, () => {
    const counts = new Map<string, number>();
    for (const path of sources) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > maxFiles)).toEqual([]);
  });
});
