import type { z } from 'zod';
import type { Logger } from '../telemetry/logger.ts';
import type { Schedule, Window } from './schedule.ts';

/** The counts that a run reports; none is about a single person. */
export type Figures = Readonly<Record<string, number>>;

export interface JobRun<Progress> extends Window {
  /** What an earlier attempt at this window saved last. */
  readonly progress: Progress | undefined;
  /**
   * Stores the progress of this run, for the worker that continues it. Throws when the run must end: the process stops, or
   * another worker has taken over.
   */
  save(progress: Progress): Promise<void>;
  /** For long stretches between two `save`s. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Work on a schedule. It has to be idempotent: a window may be run twice in part, after a kill, and two windows at
 * once, when one is run by hand. So it writes absolute values and never increments.
 */
export interface JobSpec<Progress> extends Schedule {
  readonly name: string;
  /** One line for the list of jobs. */
  readonly summary: string;
  readonly progress: z.ZodType<Progress>;
  run(run: JobRun<Progress>): Promise<Figures>;
}

/** A job whose progress only itself can read. */
export interface Job extends Schedule {
  readonly name: string;
  readonly summary: string;
  run(run: JobRun<unknown>): Promise<Figures>;
}

export const defineJob = <Progress>(spec: JobSpec<Progress>): Job => ({
  ...spec,
  run: (run) => {
    // What another version of the program saved may not parse; the window is then run from its beginning.
    const saved = spec.progress.safeParse(run.progress);
    return spec.run({ ...run, progress: saved.success ? saved.data : undefined });
  },
});
