import type { Clock } from '../../../platform/clock.ts';
import type { DayNumber } from '../../../domain/local-day.ts';
import { firstDayOf } from '../days/local-days.ts';
import type { CalendarCache, CalendarPerson } from '../goals/calendar-cache.ts';
import type { PuffHistories } from '../ports.ts';
import type { SettledPerson, SettledRunsCache } from './settled-runs-cache.ts';
import { streakDaysOf, type StreakDays } from './streak-days.ts';

export type StreakPerson = CalendarPerson & SettledPerson;

/** The answer of an evaluation that needs days which are not loaded: it is repeated with the days from this one on. */
export interface DaysMissing {
  readonly loadFrom: DayNumber;
}

/** Gives the streak days of many people to a synchronous evaluation. */
export interface StreakReader {
  /**
   * The results by `userId`; a person whose history is not found is left out. The number of queries does not depend on
   * the number of people.
   *
   * @param revs revisions of the logs that have to be counted, at least.
   */
  evaluate<Subject extends { readonly person: StreakPerson }, Result extends object>(
    subjects: readonly Subject[],
    revs: ReadonlyMap<string, number>,
    evaluation: (subject: Subject, days: StreakDays) => Result | DaysMissing,
  ): Promise<ReadonlyMap<string, Result>>;
}

export const createStreakReader = (deps: {
  calendars: CalendarCache;
  settled: SettledRunsCache;
  clock: Clock;
  puffs: Pick<PuffHistories, 'history' | 'histories'>;
}): StreakReader => {
  const { calendars, settled, clock } = deps;
  return {
    async evaluate(subjects, revs, evaluation) {
      const people = subjects.map(({ person }) => person);
      const [calendarsOf, histories] = await Promise.all([
        calendars.loadMany(people, clock.now()),
        deps.puffs.histories(new Map(people.map(({ userId }) => [userId, revs.get(userId) ?? 0]))),
      ]);
      const known = subjects.flatMap((subject) => {
        const { person } = subject;
        const [calendar, history] = [calendarsOf.get(person.userId), histories.get(person.userId)];
        return calendar && history ? [{ subject, person, calendar, history }] : [];
      });
      await settled.prefetch(known);
      type Result = Exclude<ReturnType<typeof evaluation>, DaysMissing>;
      const results = new Map<string, Result>();
      for (const { subject, person, calendar, history: first } of known) {
        const firstDay = firstDayOf(person);
        for (let history = first; ;) {
          const answer = await settled.whenReady(person, calendar, history, (ready, { runs }) =>
            evaluation(subject, streakDaysOf({ calendar, history: ready, runs, firstDay })),
          );
          if (!isDaysMissing(answer)) {
            results.set(person.userId, answer as Result);
            break;
          }
          history = await deps.puffs.history(person.userId, Math.max(answer.loadFrom, firstDay));
        }
      }
      return results;
    },
  };
};

const isDaysMissing = (answer: object): answer is DaysMissing => 'loadFrom' in answer;
