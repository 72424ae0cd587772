import { createRequire } from 'node:module';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import { run } from '../binaries/executable.ts';

/**
 * Runs as a separate process, so that its timers and sockets end with it and it reads no settings but its environment. Its
 * progress lines go to stdout too, so the path is the last line.
 */
const program = `
  const [, packagePath, version, downloadDir] = process.argv;
  require(packagePath).MongoBinary.getPath({ version, downloadDir, checkMD5: true }).then(
    (path) => console.log('\\n' + path),
    (error) => { console.error(error.message); process.exit(1); },
  );`;

/**
 * Downloads a mongod for this system from MongoDB's download site with mongodb-memory-server-core.
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
    // By default it does not check certificates, and tries an unknown host name three times.
    env: { ...options.env, NODE_OPTIONS: undefined, npm_config_strict_ssl: 'true', MONGOMS_MAX_RETRIES: '1' },
  });
  const found = output.trim().split('\n').at(-1) ?? '';
  const binary = join(work, 'binary');
  await copyFile(found, binary);
  return binary;
};
