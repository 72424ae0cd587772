import type { Purpose, UserStats } from '@pufftrack/contract';
import { z } from 'zod';
import { defineJob, type Figures, type Job, type JobRun } from '../../../platform/scheduler/job.ts';
import { hourMs, minuteMs } from '../../../domain/durations.ts';
import { isDatabaseUnavailable } from '../../../platform/mongo/errors.ts';
import { isKnownZone } from '../../../domain/time-zones.ts';
import { isProcessed } from '../../users/index.ts';
import { rolledOverDayStarts } from '../days/day-rollover.ts';
import type { StatsReadModel } from './stats-read-model.ts';
import type { StatsPerson } from '../stats/stats-service.ts';

/** A person as the jobs need them; users gives it. */
export interface JobPerson extends StatsPerson {
  readonly consents: ReadonlySet<Purpose>;
}

/** People, page by page, by an index. */
export interface JobPeople {
  listTimeZones(): Promise<string[]>;
  listPage(page: {
    dayTurn?: { timeZone: string; dayStartHour: number };
    after?: string | undefined;
    limit: number;
  }): Promise<JobPerson[]>;
}

/** Small, so that a page leaves connections to those who take puffs meanwhile. */
const pageSize = 50;

/** The people of which zone and day start are done, and up to whom of the next ones. */
const Progress = z.object({ timeZone: z.string(), dayStartHour: z.number(), after: z.string().optional() });
type Progress = z.infer<typeof Progress>;

/**
 * The jobs of a local day's turn. Nothing is ended by them: days and streaks are derived whenever somebody asks.
 * They keep the stored `UserStats` of people who do not ask in step with the calendar (docs/adr/0008-jobs-of-our-own.md).
 */
export const statsJobs = (deps: {
  people: JobPeople;
  settle: StatsReadModel['settle'];
  /** Numbers changed though nothing was recorded: the day turned. */
  onDayTurned: (stats: UserStats) => void;
  /** A day of these people has been over for an hour. */
  onDayOver: (people: readonly JobPerson[]) => Promise<void>;
}): Job[] => {
  const { people } = deps;

  /** Does its work for everybody whose local day turned in the window, moved back by `delayMs`. */
  const forTurned = async (
    { from, to, progress, save, log }: JobRun<Progress>,
    delayMs: number,
    work: (people: readonly JobPerson[]) => Promise<number>,
  ): Promise<Figures> => {
    let settled = 0;
    let failed = 0;

    const settle = async (page: readonly JobPerson[]): Promise<void> => {
      try {
        settled += await work(page);
      } catch (error) {
        if (isDatabaseUnavailable(error)) throw error;
        // One person whose numbers cannot be made keeps nobody else's from being made.
        if (page.length > 1) for (const person of page) await settle([person]);
        else {
          failed += 1;
          log.error(
            { event: 'job.person_failed', err: error, userId: page[0]?.userId },
            'nothing was done for a person',
          );
        }
      }
    };

    for (const timeZone of (await people.listTimeZones()).filter(isKnownZone).sort()) {
      if (progress && timeZone < progress.timeZone) continue;
      for (const dayStartHour of rolledOverDayStarts(timeZone, from - delayMs, to - delayMs)) {
        const isHere = progress?.timeZone === timeZone;
        if (isHere && dayStartHour < progress.dayStartHour) continue;
        let after = isHere && dayStartHour === progress.dayStartHour ? progress.after : undefined;
        for (;;) {
          const page = await people.listPage({ dayTurn: { timeZone, dayStartHour }, after, limit: pageSize });
          await settle(page.filter(isProcessed));
          after = page.at(-1)?.userId ?? after;
          await save({ timeZone, dayStartHour, ...(after !== undefined && { after }) });
          if (page.length < pageSize) break;
        }
      }
    }
    return { settled, failed };
  };

  const settleAnd =
    (onSettled: (stats: UserStats) => void) =>
    async (page: readonly JobPerson[]): Promise<number> => {
      const all = await deps.settle(page);
      all.forEach(onSettled);
      return all.length;
    };

  return [
    defineJob({
      name: 'daily-stats',
      summary: 'as a local day turns: stores the new day of its people, and tells those who are connected',
      everyMs: 15 * minuteMs,
      offsetMs: 0,
      progress: Progress,
      run: (run) => forTurned(run, 0, settleAnd(deps.onDayTurned)),
    }),
    defineJob({
      name: 'streak-updates',
      summary: 'an hour after a local day is over: stores the streaks with the puffs that phones sent late',
      everyMs: 15 * minuteMs,
      offsetMs: 5 * minuteMs,
      progress: Progress,
      // Whoever sent something late got `statsUpdate` for it then.
      run: (run) =>
        forTurned(
          run,
          hourMs,
          settleAnd(() => undefined),
        ),
    }),
    defineJob({
      name: 'milestones',
      summary: 'an hour after a local day is over: gives the milestones that it has brought',
      everyMs: 15 * minuteMs,
      offsetMs: 10 * minuteMs,
      progress: Progress,
      run: (run) =>
        forTurned(run, hourMs, async (page) => {
          await deps.onDayOver(page);
          return page.length;
        }),
    }),
  ];
};
