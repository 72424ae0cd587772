import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { targetNames } from '../src/target-names.ts';
import { environmentNames } from '../src/config.ts';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

describe('the documents say what is there', () => {
  it('configuration.md names every variable, and no other', () => {
    const named = [...read('docs/configuration.md').matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([...environmentNames].sort());
  });

  it('the README lists every target, and no other', () => {
    const table = read('README.md').split('| target ')[1]?.split('\n\n')[0] ?? '';
    const named = [...table.matchAll(/^\| `([a-z]+)`/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([...targetNames].sort());
  });

  it('every path of the tree in the README exists', () => {
    const paths = [...read('README.md').matchAll(/^((?:packages|bench|openapi|deploy|docs)\/\S*) /gm)].map(
      ([, path]) => path ?? '',
    );
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(documents)('every link in %s leads somewhere', (document) => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(
      ([, link]) => link ?? '',
    );
    expect(links.filter((link) => !existsSync(join(root, dirname(document), link)))).toEqual([]);
  });
});
