import { describe, expect, it } from '@jest/globals';
import { deniedWords } from '../../../scripts/language/denied-words.ts';
import { compare, scan } from '../../../scripts/language/scan.ts';

const wordsIn = (text: string) => scan(text).map(({ word }) => word.toLowerCase());

describe('the word check', () => {
  it.each([
    ['a comment', '// Nobody may see it.', ['nobody']],
    ['a camelCase name', 'const wasToldOf = 1;', ['told']],
    ['a PascalCase name', 'interface HeardEvent {}', ['heard']],
    ['an upper-case name', 'const LAST_NEWS = 1;', ['news']],
    ['an acronym before a word', 'const parseURLTurn = 1;', ['turn']],
    ['a string', "throw new Error('Ask again.')", ['ask']],
    ['two words on one line', '// The client is let in.', ['let in']],
    ['two words in a name', 'const lastLetIn = 1;', ['let in']],
    ['two words across the lines of a comment', ' * is let\n * in here', ['let * in']],
  ])('finds a denied word in %s', (_place, text, expected) => {
    expect(wordsIn(text)).toEqual(expected);
  });

  it.each([
    'the header and its task',
    'const returned = password;',
    'import { lookup } from "node:dns";',
    'const letter = newsletter;',
    'the request is queued, then processed',
  ])('accepts %j', (text) => {
    expect(wordsIn(text)).toEqual([]);
  });

  it('reports the line of each use', () => {
    expect(scan('one\n// told\nthree\nconst anew = 1;').map(({ line, word }) => [word, line])).toEqual([
      ['told', 2],
      ['anew', 4],
    ]);
  });

  it('gives a reason and a better term for every denied word', () => {
    expect(deniedWords.filter(({ instead, because }) => !/\w/.test(instead) || !/\w/.test(because))).toEqual(
      [],
    );
  });

  it.each([
    ['equal counts', { a: 2 }, { a: 2 }, [], []],
    ['a higher count', { a: 2 }, { a: 3 }, ['a'], []],
    ['a lower count', { a: 2 }, { a: 1 }, [], ['a']],
    ['a new folder with denied words', {}, { b: 1 }, ['b'], []],
    ['a folder without denied words that is still listed', { a: 1 }, {}, [], ['a']],
  ])('compares %s per folder', (_case, permitted, found, risen, fallen) => {
    const result = compare(permitted, found);
    expect(result.risen.map(({ folder }) => folder)).toEqual(risen);
    expect(result.fallen.map(({ folder }) => folder)).toEqual(fallen);
  });
});
