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

const exits = async (process_: ProcessIdentity, withinMs: number): Promise<boolean> => {
  const deadline = performance.now() + withinMs;
  while (isAlive(process_)) {
    if (performance.now() >= deadline) return false;
    await delay(20);
  }
  return true;
};

/** Sends SIGTERM, waits `graceMs` for the process to exit, and sends SIGKILL if it still runs. */
export const stopProcess = async (process_: ProcessIdentity, graceMs: number): Promise<void> => {
  signal(process_, 'SIGTERM');
  if (await exits(process_, graceMs)) return;
  signal(process_, 'SIGKILL');
  if (!(await exits(process_, 5_000))) throw new Error(`process ${process_.pid} does not exit after SIGKILL`);
};
