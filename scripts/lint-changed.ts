import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/**
 * `npm run lint:changed`: runs ESLint on the files whose verdict may have changed since they passed. The rules use types,
 * so ESLint's own cache, which knows the content of one file, would hide faults: a changed type can make an unchanged
 * caller wrong. A file passes for its content, the interface of everything that it imports, directly or not, and the
 * configuration. The interface of a built file is its declaration file, so `npm run build` comes first.
 */
const root = path.resolve(import.meta.dirname, '..');
const cacheFile = path.join(root, 'node_modules/.cache/lint-changed.json');
const configuration = [
  'eslint.config.mjs',
  'tsconfig.base.json',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
  'tsconfig.build.json',
  'scripts/lint-changed.ts',
];

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const digestOf = (...parts: string[]) => createHash('sha256').update(parts.join('\0')).digest('base64');

const packageNames = new Map(
  ['client', 'contract', 'server', 'testkit', 'local-services', 'apple-simulator'].map((name) => [
    `@pufftrack/${name}`,
    `packages/${name}/src`,
  ]),
);
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n');
const sources = tracked.filter(
  (file) => /\.(?:ts|mjs|cjs|json)$/.test(file) && existsSync(path.join(root, file)),
);
const known = new Set(sources);
const files = sources.filter((file) => file.endsWith('.ts'));

const resolveImport = (importer: string, specifier: string): string | undefined => {
  if (specifier.startsWith('.')) return path.join(path.dirname(importer), specifier);
  const [scope, name, ...rest] = specifier.split('/');
  const folder = packageNames.get(`${scope ?? ''}/${name ?? ''}`);
  return folder && path.join(folder, `${rest.length === 0 ? 'index' : rest.join('/')}.ts`);
};
const importsOf = new Map(
  files.map((file) => [
    file,
    ts
      .preProcessFile(read(file))
      .importedFiles.map(({ fileName }) => resolveImport(file, fileName))
      .filter((target) => target !== undefined && known.has(target)) as string[],
  ]),
);

/** Everything that the file imports, directly or not. */
const reachableFrom = (file: string) => {
  const reached = new Set<string>();
  const open = [file];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const target of importsOf.get(next) ?? []) {
      if (!reached.has(target)) {
        reached.add(target);
        open.push(target);
      }
    }
  }
  return [...reached].sort();
};

const built = JSON.parse(read('tsconfig.build.json')) as { references: { path: string }[] };
const builtFolders = built.references.map((reference) => path.join(path.dirname(reference.path), 'src/'));
const interfaceOf = (file: string) => {
  const declaration = file.replace('/src/', '/dist/').replace(/\.ts$/, '.d.ts');
  const isBuilt =
    builtFolders.some((folder) => file.startsWith(folder)) && existsSync(path.join(root, declaration));
  return digestOf(read(isBuilt ? declaration : file));
};
const interfaces = new Map(sources.map((file) => [file, interfaceOf(file)]));
const configured = digestOf(...configuration.map(read));
const keys = new Map(
  files.map((file) => [
    file,
    digestOf(
      configured,
      read(file),
      ...reachableFrom(file).map((target) => `${target} ${interfaces.get(target) ?? ''}`),
    ),
  ]),
);

const passed: Record<string, string> = existsSync(cacheFile)
  ? (JSON.parse(readFileSync(cacheFile, 'utf8')) as Record<string, string>)
  : {};
const changed = files.filter((file) => passed[file] !== keys.get(file));
if (changed.length > 0) {
  const { status } = spawnSync(
    'npx',
    [
      'eslint',
      '--max-warnings',
      '0',
      '--no-warn-ignored',
      ...(changed.length === files.length ? ['.'] : changed),
    ],
    { cwd: root, stdio: 'inherit' },
  );
  // Which files passed is known only when all did.
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync(path.dirname(cacheFile), { recursive: true });
  writeFileSync(cacheFile, JSON.stringify(Object.fromEntries(keys)));
}
