import { readFileSync } from 'node:fs';

const clockTicksPerSecond = 100; // sysconf(_SC_CLK_TCK) of every Linux that Node.js runs on

/** CPU time that a process has used since its start, in microseconds (Linux: /proc/<pid>/stat). */
export const cpuMicroseconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond) * 1e6;
};
