import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * `node --import tsx scripts/openapi-diff.ts <commit> [openapi.json|asyncapi.json]`: what differs from the document of that
 * commit beyond descriptions, summaries and examples. Prints one line for each difference; exits with 1 when there is one.
 */
const [commit = 'HEAD', name = 'openapi.json'] = process.argv.slice(2);
const file = `openapi/${name}`;

const isText = (key: string, value: unknown) =>
  ((key === 'description' || key === 'summary') && typeof value === 'string') ||
  key === 'example' ||
  // A schema of a property with this name is an object with a type.
  (key === 'examples' && (Array.isArray(value) || !Object.hasOwn(value as object, 'type')));

const leavesOf = (value: unknown, at = ''): [string, string][] => {
  if (typeof value !== 'object' || value === null) return [[at, JSON.stringify(value)]];
  const entries = Object.entries(value).filter(([key, inner]) => !isText(key, inner));
  if (entries.length === 0) return [[at, Array.isArray(value) ? '[]' : '{}']];
  return entries.flatMap(([key, inner]) => leavesOf(inner, `${at}/${key}`));
};

const before = new Map(
  leavesOf(
    JSON.parse(execFileSync('git', ['show', `${commit}:${file}`], { encoding: 'utf8', maxBuffer: 2 ** 26 })),
  ),
);
const after = new Map(leavesOf(JSON.parse(readFileSync(file, 'utf8'))));
const differences = [...new Set([...before.keys(), ...after.keys()])].filter(
  (at) => before.get(at) !== after.get(at),
);
for (const at of differences)
  process.stdout.write(`${at}: ${before.get(at) ?? 'absent'} -> ${after.get(at) ?? 'absent'}\n`);
process.stdout.write(`${file}: ${differences.length} differences from ${commit} beyond texts and examples\n`);
process.exitCode = differences.length === 0 ? 0 : 1;
