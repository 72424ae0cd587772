import { readdirSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
/** As deep as the server's sources, which find files of the repository by their own place, and beside its packages. */
export const programsDirectory = join(root, 'packages/server/dist/test');
export const localServices = join(programsDirectory, 'index.js');

/**
 * Bundles from the sources what tests start as processes, once for a whole run: a server that compiles its sources as it
 * starts takes 1.5 s of CPU instead of 0.6, and a run starts some sixty. Each keeps the name of its file.
 */
export const buildTestPrograms = async () => {
  const { build } = await import('esbuild');
  const packages = readdirSync(join(root, 'packages'));
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [
      'packages/local-services/src/index.ts',
      'packages/server/src/main.ts',
      'packages/server/test/push-worker.ts',
      'packages/testkit/test/job-worker.ts',
    ],
    outdir: programsDirectory,
    entryNames: '[name]',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2023',
    packages: 'external',
    alias: Object.fromEntries(
      packages.map((name) => [`@pufftrack/${name}`, join(root, 'packages', name, 'src/index.ts')]),
    ),
    sourcemap: true,
    logLevel: 'warning',
    write: false,
  });
  await mkdir(programsDirectory, { recursive: true });
  for (const { path, contents } of outputFiles) {
    // Another run in this tree may be reading it.
    const draft = `${path}.${process.pid}`;
    await writeFile(draft, contents);
    await rename(draft, path);
  }
};
