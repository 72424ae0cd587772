import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Identifies a process even after the system has assigned its pid to another one. */
export interface ProcessIdentity {
  pid: number;
  /** Boot id and start time in ticks since boot; undefined on systems without /proc. */
  startedAt?: string | undefined;
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** The fields of proc_pid_stat(5) from the third on. The second one is a name that may contain spaces and brackets. */
const statFields = (pid: number): string[] | undefined => {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
};

const startedAt = (fields: string[] | undefined): string | undefined => {
  const ticks = fields?.[19];
  return ticks && `${read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${ticks}`;
};

export const identify = (pid: number): ProcessIdentity => ({ pid, startedAt: startedAt(statFields(pid)) });

const answersSignals = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** True while this process runs. A zombie counts as dead, because an init that does not reap keeps orphans as zombies. */
export const isAlive = ({ pid, startedAt: expected }: ProcessIdentity): boolean => {
  if (!Number.isInteger(pid) || pid <= 0 || !answersSignals(pid)) return false;
  const fields = statFields(pid);
  if (fields?.[0] === 'Z' || fields?.[0] === 'X') return false;
  return !expected || !fields || startedAt(fields) === expected;
};

/** The command line of a process, its arguments joined by one space; undefined when it cannot be read. */
export const commandLine = (pid: number): string | undefined => {
  const line = read(`/proc/${pid}/cmdline`);
  if (line !== undefined) return line.replaceAll('\0', ' ');
  try {
    return `${execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim()} `;
  } catch {
    return undefined;
  }
};
