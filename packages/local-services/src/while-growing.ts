import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes in the files below a directory; what vanishes meanwhile counts nothing. */
const sizeOf = async (directory: string): Promise<number> => {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const sizes = names.map((name) =>
    stat(join(directory, name)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};

/**
 * Runs a download that writes below `directory`, and aborts it when nothing arrives for `limitMs`; one that makes
 * progress may take as long as it needs. Reports the size in bytes every two seconds or so, by the MB.
 * @throws what `work` throws, or an Error that says that nothing arrived
 */
export const whileGrowing = async <T>(
  directory: string,
  options: { limitMs: number; onProgress(bytes: number): void; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const stalled = new AbortController();
  let largest = 0;
  let reported = 0;
  let grownAt = performance.now();
  let reportedAt = grownAt;

  const look = async () => {
    const size = await sizeOf(directory);
    const now = performance.now();
    if (size > largest) [largest, grownAt] = [size, now];
    else if (now - grownAt >= options.limitMs)
      stalled.abort(new Error(`nothing arrived for ${Math.round(options.limitMs / 1_000)} s`));
    if (largest - reported >= 1e6 && now - reportedAt >= 2_000) {
      [reported, reportedAt] = [largest, now];
      options.onProgress(largest);
    }
  };
  const timer = setInterval(() => void look(), Math.min(250, options.limitMs / 4));
  try {
    return await work(options.signal ? AbortSignal.any([options.signal, stalled.signal]) : stalled.signal);
  } finally {
    clearInterval(timer);
  }
};
