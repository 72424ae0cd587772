import { deniedWords, type DeniedWord } from './denied-words.ts';

export interface Finding {
  line: number;
  word: string;
  denied: DeniedWord;
}

/** The text with `camelCase`, `PascalCase` and `snake_case` names split into words; line breaks stay. */
const splitNames = (text: string) =>
  text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replaceAll('_', ' ');

const patterns = deniedWords.map((denied) => ({
  denied,
  pattern: new RegExp(
    String.raw`\b(?:${denied.pattern.replaceAll(' ', String.raw`\s+(?:\*\s+|//\s+)?`)})\b`,
    'gi',
  ),
}));

/** Every use of a denied word in names, comments and strings, in the order of the list. */
export const scan = (text: string): Finding[] => {
  const split = splitNames(text);
  return patterns.flatMap(({ denied, pattern }) =>
    [...split.matchAll(pattern)].map((match) => ({
      line: split.slice(0, match.index).split('\n').length,
      word: match[0].replaceAll(/\s+/g, ' '),
      denied,
    })),
  );
};

export type Counts = Record<string, number>;

/** What differs from the permitted counts: a folder that has more, or one whose count can be lowered. */
export const compare = (permitted: Counts, found: Counts) => {
  const folders = [...new Set([...Object.keys(permitted), ...Object.keys(found)])].sort();
  const differing = folders.map((folder) => ({
    folder,
    permitted: permitted[folder] ?? 0,
    found: found[folder] ?? 0,
  }));
  return {
    risen: differing.filter((entry) => entry.found > entry.permitted),
    fallen: differing.filter((entry) => entry.found < entry.permitted),
  };
};
