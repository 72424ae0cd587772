import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';

/** The server as production runs it. */
export const serverProgram = 'packages/server/dist/main.js';

/** The options of Node.js that `npm start` gives it, for NODE_OPTIONS. */
export const productionNodeOptions = (): string => {
  const { scripts } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start
    .split(' ')
    .filter((word) => word.startsWith('--'))
    .join(' ');
};

/** Builds a program of this folder likewise: what runs from its sources carries a loader, and costs more. */
export const buildProgram = async (name: string): Promise<string> => {
  // Beside the server, so that both find the same packages.
  const outfile = `packages/server/dist/bench/${name}.js`;
  await build({
    entryPoints: [`bench/${name}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2023',
    packages: 'external',
  });
  return outfile;
};
