import type { Clock } from '../platform/clock.ts';
import type { ListedJob } from '../platform/scheduler/job-runner.ts';
import { createLifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { noSockets } from '../platform/realtime/socket-server.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import type { OpenReport, Verdict } from '../services/users/index.ts';
import { openCore, type CoreConfig } from './core.ts';

/** What the program can do besides serving. */
export type Command =
  | { readonly name: 'migrate' }
  | { readonly name: 'rotate-keys' }
  | { readonly name: 'list-reports' }
  | { readonly name: 'review-reports'; readonly userId: string; readonly verdict: Verdict }
  | { readonly name: 'list-jobs' }
  | { readonly name: 'run-job'; readonly job: string; readonly date: string | undefined };

/** The command line was not understood; the message says what would be. */
export class UsageError extends Error {}

const usage =
  'Usage: migrate | keys:rotate | reports list | reports show-name|hide-name <userId> | job list | job <name> [--date YYYY-MM-DD]; nothing starts the server.';

const verdicts: Readonly<Record<string, Verdict>> = { 'show-name': 'show', 'hide-name': 'hide' };

/** Undefined: serve. Throws UsageError. */
export const readCommand = (args: readonly string[]): Command | undefined => {
  const [name, job, option, date, ...rest] = args;
  if (name === undefined) return undefined;
  if (name === 'migrate' && job === undefined) return { name: 'migrate' };
  if (name === 'keys:rotate' && job === undefined) return { name: 'rotate-keys' };
  if (name === 'reports' && job === 'list' && option === undefined) return { name: 'list-reports' };
  const verdict = job === undefined ? undefined : verdicts[job];
  if (name === 'reports' && verdict && option !== undefined && date === undefined)
    return { name: 'review-reports', userId: option, verdict };
  if (name === 'job' && job === 'list' && option === undefined) return { name: 'list-jobs' };
  const dated = option === '--date' && date !== undefined && rest.length === 0;
  if (name === 'job' && job !== undefined && (option === undefined || dated))
    return { name: 'run-job', job, date };
  throw new UsageError(usage);
};

/** Runs one command on the database, migrated as by a start, and says what came of it. Opens no port. */
export const runCommand = async (deps: {
  command: Command;
  config: CoreConfig;
  clock: Clock;
  log: Logger;
  say: (line: string) => void;
}): Promise<void> => {
  const { command, say, ...rest } = deps;
  const parts = createLifecycle(deps.log);
  try {
    const { services, jobs, migrate, rotateKeys } = await openCore({
      ...rest,
      parts,
      metrics: createMetrics(),
      realtime: () => noSockets,
    });
    await parts.start('puffs', () => undefined, services.puffs.stop);
    await parts.start('jobs', () => undefined, jobs.stop);
    const ran = await migrate();
    if (command.name === 'migrate') {
      say(ran.length > 0 ? `Ran ${ran.join(', ')}.` : 'Nothing to migrate; the indexes are there.');
    } else if (command.name === 'rotate-keys') {
      await rotateKeys(say);
    } else if (command.name === 'list-reports') {
      const open = await services.users.reports.listOpen();
      say(open.length === 0 ? 'No report waits.' : open.map(lineOfReport).join('\n'));
    } else if (command.name === 'review-reports') {
      const closed = await services.users.reports.review(command.userId, command.verdict);
      say(`The name is ${command.verdict === 'show' ? 'shown' : 'hidden'}; ${closed} reports are closed.`);
    } else if (command.name === 'list-jobs') {
      for (const job of await jobs.list()) say(lineOf(job));
    } else {
      const { from, to, figures, startedAt, finishedAt } = await jobs.run(command.job, command.date);
      say(`${command.job} is done for ${iso(from)} to ${iso(to)}, in ${finishedAt - startedAt} ms.`);
      for (const [figure, value] of Object.entries(figures ?? {})) say(`  ${figure}: ${value}`);
    }
  } finally {
    await parts.stop();
  }
};

const iso = (ms: number) => new Date(ms).toISOString();

const lineOfReport = ({ reported, name, nameHidden, reporter, reason, note, at }: OpenReport): string =>
  [
    `${iso(at)} ${reported} ${JSON.stringify(name)}${nameHidden ? ' (hidden)' : ''}`,
    `${reason} by ${reporter}${note === null ? '' : `: ${JSON.stringify(note)}`}`,
  ].join(', ');

const lineOf = ({ name, summary, running, failures, lastRun, nextRunAt }: ListedJob): string => {
  const last = lastRun
    ? [
        `last run ${iso(lastRun.finishedAt)}`,
        lastRun.outcome,
        `${lastRun.finishedAt - lastRun.startedAt} ms`,
        lastRun.error ?? JSON.stringify(lastRun.figures),
      ].join(', ')
    : 'has not run yet';
  return [
    `${name}: ${summary}`,
    `  ${running ? 'runs now; ' : ''}${last}`,
    `  failures since the last success: ${failures}; next run ${iso(nextRunAt)}`,
  ].join('\n');
};
