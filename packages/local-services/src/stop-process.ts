import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

const signal = (process_: ProcessIdentity, name: NodeJS.Signals): void => {
  if (!isAlive(process_)) return;
  try {
    process.kill(process_.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const isGone = async (process_: ProcessIdentity, withinMs: number): Promise<boolean> => {
  const deadline = performance.now() + withinMs;
  while (isAlive(process_)) {
    if (performance.now() >= deadline) return false;
    await delay(20);
  }
  return true;
};

/** Asks a process to end (SIGTERM), waits, and kills it if it is still there after `graceMs`. */
export const stopProcess = async (process_: ProcessIdentity, graceMs: number): Promise<void> => {
  signal(process_, 'SIGTERM');
  if (await isGone(process_, graceMs)) return;
  signal(process_, 'SIGKILL');
  if (!(await isGone(process_, 5_000))) throw new Error(`process ${process_.pid} does not end`);
};
