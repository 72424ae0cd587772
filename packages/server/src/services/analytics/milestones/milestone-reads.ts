import type { Clock } from '../../../platform/clock.ts';
import { hourMs } from '../../../domain/durations.ts';
import type { DayNumber, PuffHistory } from '../../puffs/index.ts';
import { todayOf, type Calendar, type CalendarSettings } from '../goals/calendar.ts';
import type { CalendarCache } from '../goals/calendar-cache.ts';
import { evidenceNow, missingIn, reachedIn, recentRuns, type Reached } from './milestone-rules.ts';
import type { SettledRuns } from '../streaks/settled-runs.ts';
import { firstDayOf, type SettledRunsCache } from '../streaks/settled-runs-cache.ts';
import type { StatsPerson } from '../stats/stats-service.ts';

/** Where a person stood when their milestones were looked at. */
export interface MilestoneState {
  readonly rev: number;
  readonly settingsVersion: number;
  /** The last day that counted. */
  readonly through: DayNumber;
}

export interface Given extends Reached {
  readonly id: string;
}

export interface ToJudge {
  readonly person: StatsPerson;
  readonly given: readonly Given[];
  /** Of the last time; undefined: never. */
  readonly state: MilestoneState | undefined;
}

/** What is true of a person's milestones now. */
export interface Judgement {
  readonly state: MilestoneState;
  /** Ids of those whose days do not say so any more. */
  readonly void: readonly string[];
  /** Those of which something else is known now of each day: whether all are confirmed. */
  readonly changed: readonly { readonly id: string; readonly isConfirmed: boolean }[];
  /** Not given yet. */
  readonly reached: readonly Reached[];
}

/** The last local day that has been over for an hour where the person is now: a milestone waits for it (D12). */
export const lastDayOver = (settings: CalendarSettings, now: number): DayNumber =>
  todayOf(settings, now - hourMs) - 1;

/** Judges milestones from the log; the number of queries does not depend on how many people are asked for. */
export const createMilestoneReads = (deps: {
  calendars: CalendarCache;
  settled: SettledRunsCache;
  clock: Clock;
  histories: (revs: ReadonlyMap<string, number>) => Promise<ReadonlyMap<string, PuffHistory>>;
  history: (userId: string, from?: DayNumber) => Promise<PuffHistory>;
}) => {
  const { calendars, settled, clock } = deps;

  const judge = async (what: ToJudge, calendar: Calendar, held: PuffHistory): Promise<Judgement> => {
    const { person } = what;
    const through = Math.min(lastDayOver(person, clock.now()), calendar.today - 1);
    for (let history = held; ;) {
      const made = await settled.whenReady(person, calendar, history, (ready, runs) =>
        judgeNow({ ...what, calendar, history: ready, runs, through }),
      );
      if (typeof made !== 'number') return made;
      history = await deps.history(person.userId, Math.max(made, firstDayOf(person)));
    }
  };

  /**
   * @param revs numbers of the logs that have to be counted, at least.
   */
  return async (
    people: readonly ToJudge[],
    revs: ReadonlyMap<string, number>,
  ): Promise<ReadonlyMap<string, Judgement>> => {
    const persons = people.map(({ person }) => person);
    const [days, histories] = await Promise.all([
      calendars.loadMany(persons, clock.now()),
      deps.histories(new Map(persons.map(({ userId }) => [userId, revs.get(userId) ?? 0]))),
    ]);
    const known = people.flatMap((what) => {
      const [calendar, history] = [days.get(what.person.userId), histories.get(what.person.userId)];
      return calendar && history ? [{ what, person: what.person, calendar, history }] : [];
    });
    await settled.prefetch(known);
    const judgements = new Map<string, Judgement>();
    for (const { what, calendar, history } of known)
      judgements.set(what.person.userId, await judge(what, calendar, history));
    return judgements;
  };
};

/** A day where more of the history is needed: from that one on. */
const judgeNow = (
  inputs: ToJudge & { calendar: Calendar; history: PuffHistory; runs: SettledRuns; through: DayNumber },
): Judgement | number => {
  const { person, given, state, calendar, history, runs, through } = inputs;
  const first = calendar.settledThrough + 1;
  const firstDay = firstDayOf(person);
  const isLoaded = (day: DayNumber) => history.isLoadedFrom(Math.max(day, firstDay));
  const countOn = (day: DayNumber) => (day < firstDay ? 0 : history.countOn(day, calendar.dayStartHour));
  /** Nothing that decides about the settled days has moved since the last look. */
  const isPastSame =
    state?.settingsVersion === person.settingsVersion && history.changedThrough(first) <= state.rev;
  const judged: { id: string; now: { isConfirmed: boolean } | undefined; before: boolean }[] = [];
  for (const one of given) {
    const before = one.isConfirmed;
    if (isPastSame && one.to < first) continue;
    if (isLoaded(one.from)) judged.push({ id: one.id, now: evidenceNow(calendar, one, countOn), before });
    else if (isPastSame && before) {
      const late = { ...one, days: 0, from: first };
      judged.push({ id: one.id, now: evidenceNow(calendar, late, countOn), before });
    } else return one.from;
  }
  const gone = new Set(judged.filter(({ now }) => !now).map(({ id }) => id));
  const standing = given.filter(({ id }) => !gone.has(id));
  const reached: Reached[] = [];
  for (const run of recentRuns(calendar, runs.runs, { from: first, through, countOn })) {
    if (missingIn(run, standing).length === 0) continue;
    if (!isLoaded(run.from)) return run.from;
    for (const one of reachedIn(calendar, run, { given: standing, countOn })) reached.push(one);
  }
  return {
    state: { rev: history.rev, settingsVersion: person.settingsVersion, through },
    void: [...gone],
    changed: judged.flatMap(({ id, now, before }) =>
      now && now.isConfirmed !== before ? [{ id, isConfirmed: now.isConfirmed }] : [],
    ),
    reached,
  };
};
