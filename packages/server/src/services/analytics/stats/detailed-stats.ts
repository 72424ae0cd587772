import type { UserStats } from '@pufftrack/contract';
import type { PuffHistory } from '../../puffs/index.ts';
import type { Calendar } from '../goals/calendar.ts';
import { dayGapsOf, dayGapSeconds, type DayGaps } from '../streaks/day-gaps.ts';
import type { GapReader, PersonGaps } from '../streaks/gap-reader.ts';
import { bestAbstinenceSeconds, resolveOpenStretches, stretchOf } from '../streaks/gaps.ts';
import type { SettledRuns } from '../streaks/settled-runs.ts';
import type { SettledPerson, SettledRunsCache } from '../streaks/settled-runs-cache.ts';

/** Stats without gaps, and their inputs. */
export interface StatsInputs {
  readonly person: SettledPerson;
  readonly stats: UserStats;
  readonly calendar: Calendar;
  /** Loaded from the date after the settled gaps on. */
  readonly history: PuffHistory;
  readonly settled: SettledRuns;
  /** ms */
  readonly now: number;
}

/**
 * Adds the numbers that only `GET /users/stats` has: gaps between puffs. They come from the spans of wall dates. Records
 * are read only where the spans leave a result open. The result may include a concurrent edit.
 */
export const createDetailedStats = (deps: {
  settled: Pick<SettledRunsCache, 'storeGaps'>;
  gapReader: GapReader;
}) => {
  const best = async (
    { person, stats, calendar, settled, now }: StatsInputs,
    recent: ReturnType<typeof stretchOf>,
    read: PersonGaps,
  ): Promise<number | null> => {
    const past = settled.gaps.stretch;
    const bestOf = (longestMs: number) =>
      bestAbstinenceSeconds({
        currentSeconds: stats.streaks.abstinenceSeconds.current,
        firstPuffAt: past?.first ?? recent?.first ?? null,
        longestMs,
        quitAt: calendar.quitAt,
        now,
      });
    const between = past && recent ? recent.first - past.last : 0;
    const known = bestOf(Math.max(between, past?.longestMs ?? 0, recent?.longestMs ?? 0));
    if (known === null) return null;
    // A gap below the next whole second does not change the result.
    const enoughMs = (known + 1) * 1_000 - 1;
    const pastFound = past && (await resolveOpenStretches(past, enoughMs, read.between));
    if (pastFound && pastFound !== past) await deps.settled.storeGaps(person, settled, pastFound);
    const recentFound =
      recent &&
      (await resolveOpenStretches(recent, Math.max(enoughMs, pastFound?.longestMs ?? 0), read.between));
    return bestOf(Math.max(between, pastFound?.longestMs ?? 0, recentFound?.longestMs ?? 0));
  };

  const longestToday = async (
    { calendar, now }: StatsInputs,
    gaps: DayGaps,
    lastPuffAt: number,
    read: PersonGaps,
  ): Promise<number> => {
    const longestMs = gaps.stretch
      ? (await resolveOpenStretches(gaps.stretch, now - lastPuffAt, read.between)).longestMs
      : await read.ofDay(calendar.today, calendar.dayStartHour, gaps);
    return dayGapSeconds(longestMs, lastPuffAt, now);
  };

  return async (inputs: StatsInputs): Promise<UserStats> => {
    const { person, stats, calendar, history, settled } = inputs;
    // Read before the first await: the history grows with the log.
    const { rev, lastPuffAt } = history;
    const recent = stretchOf(history.spans(settled.gaps.through + 1));
    const today = dayGapsOf(history, calendar.today, calendar.dayStartHour);
    const read = deps.gapReader(person.userId, rev);

    const { streaks } = stats;
    const longest = await best(inputs, recent, read);
    const abstinenceSeconds = { ...streaks.abstinenceSeconds, ...(longest !== null && { best: longest }) };
    return {
      ...stats,
      streaks: { ...streaks, abstinenceSeconds },
      ...(today &&
        lastPuffAt !== null && {
          longestGapTodaySeconds: await longestToday(inputs, today, lastPuffAt, read),
        }),
    };
  };
};
