import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Bytes in the files below a directory. A file that vanishes meanwhile counts as empty. */
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
 * Runs a download that writes below `directory`, and aborts it when the directory has not grown for `limitMs`. A download
 * that makes progress may take as long as it needs. Reports the size (bytes) every two seconds at most, and only after
 * another megabyte.
 * @throws what `work` throws, or an Error with the message "no data received for ... s"
 */
export const whileGrowing = async <T>(
  directory: string,
  options: {
    limitMs: number;
    onProgress(bytes: number): void;
    signal?: AbortSignal | undefined;
    now?: () => number;
  },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const { now = () => performance.now() } = options;
  const stalled = new AbortController();
  const finished = new AbortController();
  let largest = 0;
  let reported = 0;
  let grownAt = now();
  let reportedAt = grownAt;

  const measure = async () => {
    const size = await sizeOf(directory);
    const at = now();
    if (size > largest) [largest, grownAt] = [size, at];
    else if (at - grownAt >= options.limitMs)
      stalled.abort(new Error(`no data received for ${Math.round(options.limitMs / 1_000)} s`));
    if (largest - reported >= 1e6 && at - reportedAt >= 2_000) {
      [reported, reportedAt] = [largest, at];
      options.onProgress(largest);
    }
  };
  const watch = async () => {
    const everyMs = Math.min(250, options.limitMs / 4);
    try {
      for (;;) {
        await delay(everyMs, undefined, { signal: finished.signal });
        await measure();
      }
    } catch (error) {
      if (!finished.signal.aborted) throw error;
    }
  };
  const watching = watch();
  try {
    return await work(options.signal ? AbortSignal.any([options.signal, stalled.signal]) : stalled.signal);
  } finally {
    finished.abort();
    await watching;
  }
};
