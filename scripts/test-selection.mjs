import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Which test files run, by what a file itself shows; jest.config.mjs reads it.
 *
 * `fast`: what a file imports, directly or not, uses no server of the test run (`PUFFTRACK_TEST_...`).
 * `split`: end-to-end tests without a line `// @not-split: <reason>`.
 */
const root = path.resolve(import.meta.dirname, '..');

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](?:node_modules|dist)[\\/]/.test(file));

const texts = new Map();
const textOf = (file) => {
  if (!texts.has(file)) texts.set(file, existsSync(file) ? readFileSync(file, 'utf8') : '');
  return texts.get(file);
};

const importsOf = (file) =>
  [...textOf(file).matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].flatMap(([, specifier]) => {
    if (specifier.startsWith('.')) return [path.join(path.dirname(file), specifier)];
    const [, name, entry = 'index'] = /^@pufftrack\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? [];
    return name ? [path.join(root, 'packages', name, 'src', `${entry}.ts`)] : [];
  });

const usesTestServers = (test) => {
  const reached = new Set([test]);
  for (const file of reached) {
    if (/\bPUFFTRACK_TEST_/.test(textOf(file))) return true;
    for (const imported of importsOf(file)) reached.add(imported);
  }
  return false;
};

const testsIn = (folder) =>
  filesIn(path.join(root, folder)).filter(
    (file) => file.endsWith('.test.ts') && !file.endsWith('.long.test.ts'),
  );

export const fastTests = () => testsIn('packages').filter((file) => !usesTestServers(file));
export const splitTests = () =>
  testsIn('packages/testkit/test').filter((file) => !/^\/\/ @not-split: \S/m.test(textOf(file)));
