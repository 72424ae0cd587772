import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

/**
 * The rule book of the repository: what comments and tests cite is written in docs/, and what docs/security.md calls
 * kept names files that exist. The failure lists what to add, and where.
 */
const root = path.resolve(import.meta.dirname, '../../..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(ts|md)$/.test(file));
const textOf = (file: string) => readFileSync(path.join(root, file), 'utf8');

const security = textOf('docs/security.md');
const listed = [...security.matchAll(/^- \*\*([A-Z]+-\d+)\*\* /gm)].map(([, id]) => id ?? '');
const families = [...new Set(listed.map((id) => id.split('-')[0]))].join('|');
const entries = security.split(/^- \*\*/m).slice(1);

/** Names of source files in backticks; a name may begin with the folders that make it unique. */
const filesNamedIn = (text: string) => [
  ...new Set([...text.matchAll(/`([\w./-]+\.ts)`/g)].map(([, name]) => name ?? '')),
];
const placesOf = (name: string) => files.filter((file) => `/${file}`.endsWith(`/${name}`));

const citedIn = (pattern: RegExp) =>
  files.flatMap((file) => [...textOf(file).matchAll(pattern)].map(([id]) => ({ file, id })));

describe('the rule book', () => {
  it('lists each requirement once', () => {
    expect(listed.length).toBeGreaterThan(70);
    expect(listed.filter((id, index) => listed.indexOf(id) !== index)).toEqual([]);
  });

  it('has every requirement that code, tests and documents cite; add a missing one to docs/security.md', () => {
    const cited = citedIn(new RegExp(String.raw`\b(?:${families})-\d+\b`, 'g'));
    expect(cited.length).toBeGreaterThan(150);
    expect(cited.filter(({ id }) => !listed.includes(id))).toEqual([]);
  });

  it('has every domain rule that is cited; add a missing one to docs/domain.md', () => {
    const rules = [...textOf('docs/domain.md').matchAll(/^## (D\d+)\. /gm)].map(([, id]) => id);
    const cited = citedIn(/(?<=domain\.md )D\d+\b/g);
    expect(cited.length).toBeGreaterThan(5);
    expect(cited.filter(({ id }) => !rules.includes(id))).toEqual([]);
  });

  it('says of each requirement what keeps and shows it, or that it is not built', () => {
    const unclear = entries.filter((entry) => {
      const isShown = /shown by `/.test(entry);
      return !isShown && !entry.includes('Not built') && !entry.includes('Differs');
    });
    expect(unclear).toEqual([]);
  });

  it('names one file of the repository by each file name; add the folder where a name is ambiguous', () => {
    const named = filesNamedIn(security);
    expect(named.length).toBeGreaterThan(130);
    expect(named.filter((name) => placesOf(name).length !== 1)).toEqual([]);
  });

  it.each(files.filter((file) => /^(?:docs\/.*|README|CONTRIBUTING)\.md$/.test(file)))(
    'cites only existing source files in %s; correct the name after a file has moved',
    (document) => {
      expect(filesNamedIn(textOf(document)).filter((name) => placesOf(name).length === 0)).toEqual([]);
    },
  );

  it('is all that a comment cites, public standards apart', () => {
    const outside = citedIn(/\b(?:trust|design|contract|stack|style|house)(?:-\w+)?\.md\b/g);
    expect(outside.filter(({ file }) => !file.endsWith('rule-book.test.ts'))).toEqual([]);
  });
});
