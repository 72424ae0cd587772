import { createRequire } from 'node:module';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import { run } from '../binaries/executable.ts';

/**
 * A program of its own: its timers and sockets end with it, and it reads its settings from its environment only.
 * Its progress lines go to stdout too, so the path is the last line.
 */
const program = `
  const [, packagePath, version, downloadDir] = process.argv;
  require(packagePath).MongoBinary.getPath({ version, downloadDir, checkMD5: true }).then(
    (path) => console.log('\\n' + path),
    (error) => { console.error(error.message); process.exit(1); },
  );`;

/**
 * Lets mongodb-memory-server-core fetch a mongod for this system from MongoDB's own download site.
 * @returns the path of the binary, in `work`
 */
export const fetchFromMemoryServer = async (
  version: string,
  work: string,
  options: { env: Environment; signal: AbortSignal },
): Promise<string> => {
  const packagePath = createRequire(import.meta.url).resolve('mongodb-memory-server-core');
  const output = await run(process.execPath, ['-e', program, packagePath, version, work], {
    cwd: work,
    signal: options.signal,
    // It checks certificates only when told to, and would try an unknown host name three times.
    env: { ...options.env, NODE_OPTIONS: undefined, npm_config_strict_ssl: 'true', MONGOMS_MAX_RETRIES: '1' },
  });
  const found = output.trim().split('\n').at(-1) ?? '';
  const binary = join(work, 'binary');
  await copyFile(found, binary);
  return binary;
};
