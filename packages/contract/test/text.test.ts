import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cleanText, decoration, text, truncateText } from '@pufftrack/contract';

const name = text(1, 50);

/** Text as people write it, the invisible characters that it needs included. */
const asWritten = [
  ...['Ann', 'Zoë', "O'Brien", 'O’Brien-Smith', '李 明', '𝒜', 'Ng\u0303', 'ก็', 'שָׁלוֹם', '1', '?', '·'],
  // Emoji: joined, with skin tones, presentation selectors, keycaps, flags of countries and of subdivisions.
  ...['👨‍👩‍👧‍👦', '👩🏽‍❤️‍💋‍👨🏿', '🏳️‍🌈', '🏳️‍⚧️', '🏴‍☠️', '👁️‍🗨️', '🕵🏻‍♂️', '❤️', '☺︎', '1️⃣', '#️⃣', '🇩🇪', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🐦‍🔥'],
  // Joiners of Persian, Arabic, Hindi, Bengali, Sinhala and Malayalam.
  ...['می\u200cخواهم', 'ه\u200d', 'क्\u200dष', 'र\u200d्य', 'র\u200d্য', 'ශ්\u200dරී', 'ന്\u200d', 'न्\u200cन'],
  // Variants of Han and Mongolian characters.
  ...['葛\u{E0100}城', 'ᠠ\u180Bᠨ', 'ᠭ\u180Eᠠ'],
];

/** What is not shown as itself, by its kind. */
const hidden: Record<string, string[]> = {
  'controls and line breaks': ['\0', '\t', '\n', '\r', '\x1b', '\x7f', '\x85', '\u2028', '\u2029'],
  'controls of direction': Array.from('\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'),
  'zero-width characters': ['\u200b', '\u2060', '\u2061', '\u2064', '\ufeff', '\u00ad', '\u034f', '\u180e'],
  fillers: ['\u3164', '\u115f', '\u1160', '\uffa0', '\u2800', '\u17b4', '\u17b5', '\u{1d159}', '\ufffc'],
  'stray joiners and selectors': ['\u200c', '\u200d', '\ufe0f', '\ufe0e', '\ufe00', '\u{e0100}', '\u180b'],
  'tags outside a flag': ['\u{e0001}', '\u{e0041}', '\u{e0067}\u{e0062}\u{e007f}', '\u{e007f}'],
  'interlinear, musical and deprecated controls': ['\ufff9', '\u{1d173}', '\u206a', '\u{1bca0}'],
  'halves of surrogate pairs and noncharacters': ['\ud800', '\udc00', '\uffff', '\u{1fffe}'],
};
const allHidden = Object.values(hidden).flat();

describe('text from a person', () => {
  it.each(asWritten)('is kept as written: %s', (written) => {
    expect(name.parse(written)).toBe(written.normalize('NFC'));
    expect(cleanText(written)).toBe(written.normalize('NFC'));
  });

  describe.each(Object.entries(hidden))('%s', (_kind, characters) => {
    it.each(characters.map((character) => [JSON.stringify(character), character]))(
      'are refused alone, at the edges and inside: %s',
      (_shown, character) => {
        for (const value of [character, `a${character}b`, `A ${character} B`])
          expect(name.safeParse(value).success).toBe(false);
        expect(cleanText(`a${character}b`).replace('a b', 'ab')).toBe('ab');
        expect(cleanText(character)).toBe('');
        expect(decoration(50).parse(character)).toBeUndefined();
      },
    );
  });

  it('has spaces for line breaks where it is cleaned, and no non-joiner at the end of a word', () => {
    expect(cleanText('Anna\nMaria\tB')).toBe('Anna Maria B');
    expect(text(1, 50).parse('\u0645\u06cc\u200c')).toBe('\u0645\u06cc');
    expect(text(1, 50).parse('\u{11800}\u200d')).toBe('\u{11800}\u200d');
  });

  it('names the character that is refused', () => {
    expect(name.safeParse('a\u202eb').error?.issues[0]?.message).toContain('U+202E');
  });

  it.each(['', ' ', '\u00a0', '\u3000', '\u2003 \u2009', '\u200e', '\u200f \u061c'])(
    'needs a visible character: %j',
    (blank) => {
      expect(name.safeParse(blank).error?.issues[0]?.message).toContain('visible character');
    },
  );

  it('loses marks of direction, which change nothing that is seen', () => {
    expect(name.parse('\u200fדוד\u200e')).toBe('דוד');
  });

  it.each(['\u0301', '\u0301a', ' \u20dd', '\u094d\u200d'])('does not begin with a mark: %j', (value) => {
    expect(name.safeParse(value).success).toBe(false);
  });

  it('has at most five marks on one character', () => {
    const marks = Array.from('\u0316\u0317\u0318\u0319\u031c\u031d');
    const five = `Z${marks.slice(0, 5).join('')}algo`;
    expect(name.parse(five)).toBe(five);
    expect(name.safeParse(`Z${marks.join('')}algo`).success).toBe(false);
    expect(cleanText(`Z${marks.join('')}algo`)).toBe(five);
  });

  it('counts code points, 1 to 50', () => {
    for (const value of ['a'.repeat(50), `${'a'.repeat(49)}🙂`, '🙂'.repeat(50)])
      expect(name.parse(value)).toBe(value);
    for (const value of ['a'.repeat(51), `${'a'.repeat(50)}🙂`, '🙂'.repeat(51)])
      expect(name.safeParse(value).success).toBe(false);
  });
});

describe('text that decorates', () => {
  const part = fc.oneof(
    fc.constantFrom(...asWritten),
    fc.constantFrom(...allHidden),
    fc.constantFrom('\u0301', '\u0316', '\u094d', '\u200e', ' '),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  const anything = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(''));

  it('is acceptable text once it is cleaned, and cleaning it again changes nothing', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const clean = cleanText(value);
        expect(text(0, 1_000).parse(clean)).toBe(clean);
        expect(cleanText(clean)).toBe(clean);
      }),
      { numRuns: 3_000 },
    );
  });

  it('never fails, whatever it is, and is acceptable text within the limit or absent', () => {
    fc.assert(
      fc.property(fc.oneof(anything, fc.anything()), fc.integer({ min: 1, max: 64 }), (value, max) => {
        const parsed = decoration(max).parse(value);
        expect(parsed === undefined || text(1, max).safeParse(parsed).success).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['a'.repeat(60), 50, 'a'.repeat(50)],
    [`${'a'.repeat(50)}🙂`, 50, 'a'.repeat(50)],
    [`${'a'.repeat(49)}🙂`, 50, `${'a'.repeat(49)}🙂`],
    [`${'a'.repeat(49)}e\u0301\u0316`, 50, 'a'.repeat(49)],
    ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 13, '👨‍👩‍👧‍👦'],
    ['🇩🇪🇫🇷', 3, '🇩🇪'],
    ['ab cd', 3, 'ab'],
    ['👨‍👩‍👧‍👦', 6, ''],
  ])('is cut between graphemes: %s at %i', (value, max, cut) => {
    expect(truncateText(value, max)).toBe(cut);
  });
});
