import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { compare, scan, type Counts } from './scan.ts';

/**
 * `npm run language`, after the spelling: no denied word in names, comments, strings and documents. Folders that still have
 * some are counted in permitted-counts.json. Its counts only shrink: the check fails when one rises and when one can be
 * lowered; `npm run language -- --lower` lowers them.
 */
const root = path.resolve(import.meta.dirname, '../..');
const permittedFile = path.join(import.meta.dirname, 'permitted-counts.json');
const exempt = [
  'scripts/language/denied-words.ts',
  'scripts/language/scan.ts',
  'packages/server/test/language.test.ts',
];

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(?:ts|mjs|cjs|md)$/.test(file) && !exempt.includes(file))
  .filter((file) => existsSync(path.join(root, file)));

const findings = files.flatMap((file) =>
  scan(`${path.basename(file)}\n${readFileSync(path.join(root, file), 'utf8')}`).map((finding) => ({
    ...finding,
    // The name of the file stands above its first line.
    line: finding.line - 1,
    file,
    folder: path.dirname(file),
  })),
);
const found: Counts = {};
for (const { folder } of findings) found[folder] = (found[folder] ?? 0) + 1;

const permitted = JSON.parse(readFileSync(permittedFile, 'utf8')) as Counts;
const { risen, fallen } = compare(permitted, found);

for (const { folder, permitted: before, found: now } of risen) {
  process.stderr.write(`${folder}: ${now} denied words, ${before} permitted\n`);
  for (const { file, line, word, denied } of findings.filter((finding) => finding.folder === folder)) {
    process.stderr.write(`  ${file}:${line} "${word}": write ${denied.instead} (${denied.because})\n`);
  }
}
if (process.argv.includes('--lower')) {
  const lowered = Object.keys(permitted)
    .sort()
    .map((folder) => [folder, Math.min(permitted[folder] ?? 0, found[folder] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  writeFileSync(permittedFile, `${JSON.stringify(Object.fromEntries(lowered), null, 2)}\n`);
} else {
  for (const { folder, permitted: before, found: now } of fallen) {
    process.stderr.write(
      `${folder}: ${now} denied words, ${before} permitted; run \`npm run language -- --lower\`\n`,
    );
  }
  if (fallen.length > 0) process.exitCode = 1;
}
if (risen.length > 0) process.exitCode = 1;
