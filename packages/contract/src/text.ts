import { z } from 'zod';

/** Scripts whose letters change their form at a joiner (U+200C, U+200D): Arabic and its kin, and those with a virama. */
const joiningScripts = [
  ...['Arabic', 'Syriac', 'Mandaic', 'Nko', 'Mongolian', 'Phags_Pa', 'Adlam', 'Hanifi_Rohingya'],
  ...['Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam'],
  ...['Sinhala', 'Myanmar', 'Khmer', 'Tibetan', 'Balinese', 'Javanese', 'Sundanese', 'Chakma', 'Kaithi'],
  ...[
    'Meetei_Mayek',
    'Saurashtra',
    'Sharada',
    'Syloti_Nagri',
    'Tirhuta',
    'Newa',
    'Grantha',
    'Brahmi',
    'Limbu',
    'Dogra',
    'Takri',
    'Modi',
    'Khojki',
    'Khudawadi',
    'Nandinagari',
    'Bhaiksuki',
    'Gunjala_Gondi',
    'Masaram_Gondi',
    'Dives_Akuru',
    'Tai_Tham',
    'Sogdian',
  ],
]
  .map((script) => `\\p{Script_Extensions=${script}}`)
  .join('');

/** Invisible characters where they make a visible difference. */
const meaningful = [
  // Emoji: presentation selectors, keycaps, joined sequences, flags of subdivisions.
  String.raw`(?<=[\p{Extended_Pictographic}\u{1F3FB}-\u{1F3FF}])[\uFE0E\uFE0F]`,
  String.raw`(?<=[0-9#*])\uFE0F(?=\u20E3)`,
  String.raw`(?<=[\p{Extended_Pictographic}\u{1F3FB}-\u{1F3FF}]\uFE0F?)\u200D(?=\p{Extended_Pictographic})`,
  String.raw`(?<=\u{1F3F4})[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{3,6}\u{E007F}`,
  // Joiners after a letter or a sign of a script that has joined forms.
  String.raw`(?<=[\p{L}\p{M}])(?<!\p{Default_Ignorable_Code_Point})(?<=[${joiningScripts}])[\u200C\u200D]`,
  // Variants of a Han or Mongolian character, which stand in names.
  String.raw`(?<=\p{Script=Han})[\uFE00-\uFE02\u{E0100}-\u{E01EF}]`,
  String.raw`(?<=\p{L})(?<=\p{Script=Mongolian})[\u180B-\u180F]`,
].join('|');

/**
 * What is never shown as itself: controls and line breaks, controls of direction, fillers and blanks that are no spaces
 * (Hangul fillers, the blank Braille pattern, a null notehead), noncharacters, halves of a surrogate pair, stray joiners,
 * selectors and tags. Arabic and Kaithi number signs are format characters that are visible.
 */
const hidden = String.raw`(?![\u0600-\u0605\u06DD\u0890\u0891\u08E2\u{110BD}\u{110CD}])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\u{1D159}\uFFFC]`;

const invisible = new RegExp(`(?<kept>${meaningful})|${hidden}`, 'gu');

/** Left-to-right, right-to-left and Arabic letter mark: keyboards insert them, and without them a name reads the same. */
const directionMark = /[\u200E\u200F\u061C]/gu;

/** Marks on one character. Five are what vocalised Hebrew and stacked Tibetan need; more cover the lines around them. */
const maxMarks = 5;
const markRun = new RegExp(`(?:\\p{M}[\\u200C\\u200D]?){${maxMarks + 1},}`, 'gu');
/** A mark without a character before it sits on whatever another text puts there. */
const leadingMarks = /^[\s\p{M}\u200C\u200D]+/u;

/** Most text is this, and holds nothing of the above. */
const printableAscii = /^[\x20-\x7e]*$/;

const isHidden = ({ groups }: RegExpMatchArray) => groups?.['kept'] === undefined;

/** The first character that text must not hold, as `U+202E`. */
const hiddenIn = (value: string): string | undefined => {
  const [found] = [...value.matchAll(invisible)].find(isHidden) ?? [];
  const code = found?.codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
};

/** A non-joiner at the end of a run of letters separates nothing: without it the text renders the same. */
const trailingNonJoiner = new RegExp(`(?<=[${joiningScripts}])\\u200C+(?=\\s|$)`, 'gu');
const lineBreak = /[\t\n\v\f\r\u0085\u2028\u2029]+/gu;

const normalised = (value: string): string =>
  printableAscii.test(value)
    ? value.trim()
    : value.replaceAll(directionMark, '').replaceAll(trailingNonJoiner, '').normalize('NFC').trim();

/** What is wrong with a text, as a message for the app developer; undefined for a valid text. */
const faultOf = (value: string): string | undefined => {
  if (printableAscii.test(value)) return undefined;
  const character = hiddenIn(value);
  if (character !== undefined)
    return `must not hold control characters, controls of direction, fillers or stray joiners (${character})`;
  if (leadingMarks.test(value)) return 'must begin with a visible character, not with a combining mark';
  if (value.search(markRun) >= 0)
    return `must not hold more than ${maxMarks} combining marks on one character`;
  return undefined;
};

/**
 * Text from a person: NFC-normalised and trimmed, without direction marks; the length counts code points. What is not
 * shown as itself is refused, so text that is not empty has a visible character.
 */
export const text = (min: number, max: number) =>
  z
    .string()
    .overwrite(normalised)
    .min(min, min === 1 ? { error: 'must have at least one visible character' } : undefined)
    .max(max)
    .check(({ value, issues }) => {
      // A code point is at most two units; what is too long has been refused for that.
      const message = value.length > 2 * max ? undefined : faultOf(value);
      if (message !== undefined) issues.push({ code: 'custom', message, input: value });
    });

let graphemes: Intl.Segmenter | undefined;

/** `value` up to `max` code points, cut between two graphemes: no half emoji, no letter without its accent. */
export const truncateText = (value: string, max: number): string => {
  if (value.length <= max) return value;
  graphemes ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  let end = 0;
  let count = 0;
  for (const { index, segment } of graphemes.segment(value)) {
    count += Array.from(segment).length;
    if (count > max) break;
    end = index + segment.length;
  }
  return value.slice(0, end).trim();
};

/** What no text that is cleaned comes near to; it bounds the work on a body of 64 KB. */
const maxCleaned = 1_000;

/** The first 1,000 code units of a text without what `text` refuses; '' where nothing visible is left. */
export const cleanText = (value: string): string => {
  let clean = normalised(value.slice(0, maxCleaned).replaceAll(lineBreak, ' '));
  if (printableAscii.test(clean)) return clean;
  // What is removed changes the order and the neighbours of what is left, until nothing more is to be removed.
  for (let before = ''; clean !== before;) {
    before = clean;
    clean = normalised(
      clean
        .replaceAll(invisible, (...match) => (match.at(-1) as { kept?: string }).kept ?? '')
        .replace(leadingMarks, '')
        .replaceAll(markRun, (run) => Array.from(run).slice(0, maxMarks).join('')),
    );
  }
  return clean;
};

/** Text from a person where what is invisible has no meaning and is dropped: something pasted, or a name of a system. */
export const tolerantText = (min: number, max: number) => z.string().overwrite(cleanText).min(min).max(max);
