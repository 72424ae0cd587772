import { localDayAt, type DayNumber } from '../../../domain/local-day.ts';
import { hourMs } from '../../../domain/durations.ts';
import type { DaysMissing, StreakDays } from '../../analytics/index.ts';
import type { MilestoneUser } from '../ports.ts';
import type { AwardedMilestone } from './milestone.ts';
import {
  currentEvidence,
  missingLengths,
  reachedMilestones,
  recentRuns,
  type ReachedMilestone,
} from './milestone-rules.ts';

/** What the milestones of a user were evaluated by. */
export interface EvaluationState {
  /** The number of the log up to which puffs counted. */
  readonly rev: number;
  readonly settingsVersion: number;
  /** The last day that counted. */
  readonly through: DayNumber;
}

export interface EvaluationInput {
  readonly person: MilestoneUser;
  readonly awarded: readonly AwardedMilestone[];
  /** Of the previous evaluation; undefined without one. */
  readonly state: EvaluationState | undefined;
}

/** What has to change so that the milestones of a user match their log and settings. */
export interface Evaluation {
  readonly state: EvaluationState;
  /** Ids of awarded milestones that their days no longer support. */
  readonly revoked: readonly string[];
  /** Awarded milestones whose confirmation has changed. */
  readonly changed: readonly { readonly id: string; readonly isConfirmed: boolean }[];
  /** Not awarded yet. */
  readonly reached: readonly ReachedMilestone[];
}

/** The last local day that ended at least an hour ago; a milestone waits for that hour (domain.md D12). */
export const lastEndedDay = (
  { timeZone, dayStartHour }: Pick<MilestoneUser, 'timeZone' | 'dayStartHour'>,
  now: number,
): DayNumber => localDayAt(now - hourMs, timeZone, dayStartHour) - 1;

/** Evaluates the milestones of one user, or asks for a longer history. */
export const evaluateMilestones = (
  { person, awarded, state }: EvaluationInput,
  streakDays: StreakDays,
  now: number,
): Evaluation | DaysMissing => {
  const { firstOpenDay } = streakDays;
  const through = Math.min(lastEndedDay(person, now), streakDays.today - 1);
  /** Nothing that decides about the days before `firstOpenDay` has changed since the previous evaluation. */
  const isPastUnchanged =
    state?.settingsVersion === person.settingsVersion && streakDays.pastChangedAtRev <= state.rev;

  const revoked = new Set<string>();
  const changed: { id: string; isConfirmed: boolean }[] = [];
  for (const milestone of awarded) {
    if (isPastUnchanged && milestone.to < firstOpenDay) continue;
    const isLoaded = streakDays.isLoadedFrom(milestone.from);
    if (!isLoaded && !(isPastUnchanged && milestone.isConfirmed)) return { loadFrom: milestone.from };
    // The days before `firstOpenDay` still count and are still confirmed, so the later ones decide.
    const decisive = isLoaded ? milestone : { ...milestone, days: 0, from: firstOpenDay };
    const evidence = currentEvidence(streakDays, decisive);
    if (!evidence) revoked.add(milestone.id);
    else if (evidence.isConfirmed !== milestone.isConfirmed)
      changed.push({ id: milestone.id, isConfirmed: evidence.isConfirmed });
  }

  const valid = awarded.filter(({ id }) => !revoked.has(id));
  const reached: ReachedMilestone[] = [];
  for (const run of recentRuns(streakDays, through)) {
    if (missingLengths(run, valid).length === 0) continue;
    if (!streakDays.isLoadedFrom(run.from)) return { loadFrom: run.from };
    reached.push(...reachedMilestones(streakDays, run, valid));
  }
  return {
    state: { rev: streakDays.rev, settingsVersion: person.settingsVersion, through },
    revoked: [...revoked],
    changed,
    reached,
  };
};
