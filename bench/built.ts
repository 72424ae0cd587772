import { build } from 'esbuild';

/** The server as production runs it. */
export const serverProgram = 'packages/server/dist/main.js';

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
