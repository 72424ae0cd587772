import type { Purpose } from '@pufftrack/contract';
import { z } from 'zod';
import { isKnownZone } from '../../../domain/time-zones.ts';
import { isDatabaseUnavailable } from '../../../platform/mongo/errors.ts';
import type { Figures, JobRun } from '../../../platform/scheduler/job.ts';
import { isProcessed } from '../../../domain/consents.ts';
import { rolledOverDayStarts } from './day-rollover.ts';

interface RolloverPerson {
  readonly userId: string;
  readonly consents: ReadonlySet<Purpose>;
}

/** People, page by page, by an index. */
export interface RolloverPeople<Person extends RolloverPerson> {
  listTimeZones(): Promise<string[]>;
  listPage(page: {
    dayRollover?: { timeZone: string; dayStartHour: number };
    after?: string | undefined;
    limit: number;
  }): Promise<Person[]>;
}

/** Small, so that a page leaves connections to the clients that record puffs meanwhile. */
const pageSize = 50;

/** The zone and day start whose people are done, and the last person done of the next ones. */
export const RolloverProgress = z.object({
  timeZone: z.string(),
  dayStartHour: z.number(),
  after: z.string().optional(),
});
export type RolloverProgress = z.infer<typeof RolloverProgress>;

/**
 * Calls `work` with pages of the people whose local day turned in the window of a run, moved back by `delayMs`. `work`
 * answers how many people it processed. A page that fails is repeated person by person, so that one broken person does
 * not block the others.
 */
export const walkDayRollover = async <Person extends RolloverPerson>(
  { from, to, progress, save, log }: JobRun<RolloverProgress>,
  {
    people,
    delayMs,
    work,
  }: {
    people: RolloverPeople<Person>;
    delayMs: number;
    work: (page: readonly Person[]) => Promise<number>;
  },
): Promise<Figures> => {
  let settled = 0;
  let failed = 0;

  const process = async (page: readonly Person[]): Promise<void> => {
    try {
      settled += await work(page);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      if (page.length > 1) for (const person of page) await process([person]);
      else {
        failed += 1;
        log.error(
          { event: 'job.person_failed', err: error, userId: page[0]?.userId },
          'job failed for one user',
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
        const page = await people.listPage({
          dayRollover: { timeZone, dayStartHour },
          after,
          limit: pageSize,
        });
        await process(page.filter(isProcessed));
        after = page.at(-1)?.userId ?? after;
        await save({ timeZone, dayStartHour, ...(after !== undefined && { after }) });
        if (page.length < pageSize) break;
      }
    }
  }
  return { settled, failed };
};
