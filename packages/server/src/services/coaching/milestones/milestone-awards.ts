import type { ClientSession } from 'mongodb';
import type { Clock } from '../../../platform/clock.ts';
import { createKeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';
import { groupBy } from '../../../platform/group-by.ts';
import { newId } from '../../../platform/ids.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { StreakReader } from '../../analytics/index.ts';
import { isProcessed } from '../../../domain/consents.ts';
import type { Inbox, MilestoneUser, PuffLogHeads, UserDirectory } from '../ports.ts';
import { evaluateMilestones, lastEndedDay, type Evaluation } from './milestone-evaluation.ts';
import { milestoneVersion } from './milestone-rules.ts';
import type { MilestoneStore, StoredEvaluationState } from './milestone-store.ts';
import { notYetAwarded, shouldNotify, type AwardedMilestone } from './milestone.ts';

/** Awards milestones and revokes those that the log no longer supports. */
export interface MilestoneAwards {
  /** Brings the milestones of these users up to date. Users without the consents for processing are skipped. */
  refresh(users: readonly MilestoneUser[]): Promise<void>;
  /** Schedules a refresh after a change of the user's past, if the user has any milestones. */
  refreshSoon(userId: string): void;
  /** Resolves when no award for this user is in progress in this process. */
  drainUser(userId: string): Promise<void>;
  /** Resolves when no scheduled refresh is left. */
  drain(): Promise<void>;
}

export interface MilestoneAwardsDeps {
  store: MilestoneStore;
  cheers: { removeOf(milestoneIds: readonly string[], tx: ClientSession): Promise<void> };
  inbox: Pick<Inbox, 'notify' | 'markMilestonesRead'>;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
  streaks: StreakReader;
  puffs: PuffLogHeads;
  users: Pick<UserDirectory, 'settingsOfMany'>;
  clock: Clock;
  log: Logger;
}

const usersPerBatch = 50;
/** Evaluations of one user if other workers change their milestones meanwhile; the next refresh continues. */
const maxAttempts = 3;

export const createMilestoneAwards = (deps: MilestoneAwardsDeps): MilestoneAwards => {
  const { store, cheers, inbox, streaks, puffs, users, clock, log } = deps;
  const runExclusive = createKeyedMutex(clock);
  const scheduled = new Set<string>();
  let running: Promise<void> | undefined;

  const isUpToDate = (user: MilestoneUser, state: StoredEvaluationState | undefined, rev: number): boolean =>
    state !== undefined &&
    state.rev >= rev &&
    state.settingsVersion === user.settingsVersion &&
    state.through === lastEndedDay(user, clock.now());

  /**
   * Applies an evaluation in one transaction, so that a killed worker has either done everything, notifications included,
   * or nothing. False if another worker has changed the user's milestones since `version`.
   */
  const apply = (userId: string, version: number, evaluation: Evaluation): Promise<boolean> =>
    deps.inTransaction(async (tx) => {
      const { state, revoked, changed, reached } = evaluation;
      if (!(await store.advance(userId, { ...state, version }, tx))) return false;
      const now = clock.now();
      await store.revoke(revoked, now, tx);
      await cheers.removeOf(revoked, tx);
      await inbox.markMilestonesRead(userId, revoked, tx);
      for (const isConfirmed of [true, false]) {
        const ids = changed.filter((one) => one.isConfirmed === isConfirmed).map(({ id }) => id);
        await store.setConfirmed(ids, isConfirmed, tx);
      }
      const awarded = await store.listAwarded([userId], { tx });
      const fresh = notYetAwarded(reached, awarded).map((one): AwardedMilestone => ({
        ...one,
        id: newId(),
        userId,
        version: milestoneVersion,
        awardedAt: now,
      }));
      await store.insert(fresh, tx);
      for (const milestone of fresh) {
        if (!shouldNotify(milestone, { fresh, awarded, through: state.through, now })) continue;
        const { id, kind, days } = milestone;
        await inbox.notify(tx, userId, { kind: 'milestone-reached', milestoneId: id, milestone: kind, days });
      }
      return true;
    });

  /** Applies an evaluation unless a consent was withdrawn since; then there is nothing to award or to repeat. */
  const applyIfProcessed = (userId: string, version: number, evaluation: Evaluation): Promise<boolean> =>
    runExclusive(userId, async () => {
      const user = (await users.settingsOfMany([userId])).get(userId);
      return !user || !isProcessed(user) || apply(userId, version, evaluation);
    });

  const evaluate = async (
    stale: readonly MilestoneUser[],
    states: ReadonlyMap<string, StoredEvaluationState>,
    revs: ReadonlyMap<string, number>,
  ) => {
    const awarded = groupBy(
      await store.listAwarded(stale.map(({ userId }) => userId)),
      ({ userId }) => userId,
    );
    const now = clock.now();
    return streaks.evaluate(
      stale.map((person) => ({
        person,
        awarded: awarded.get(person.userId) ?? [],
        state: states.get(person.userId),
      })),
      revs,
      (input, streakDays) => evaluateMilestones(input, streakDays, now),
    );
  };

  /** Answers the users whose evaluation has to be repeated. */
  const refreshOnce = async (candidates: readonly MilestoneUser[]): Promise<MilestoneUser[]> => {
    const ids = candidates.map(({ userId }) => userId);
    const states = await store.states(ids);
    const revs = await puffs.newestRevs(ids);
    const stale = candidates.filter(
      (user) => !isUpToDate(user, states.get(user.userId), revs.get(user.userId) ?? 0),
    );
    if (stale.length === 0) return [];
    const evaluations = await evaluate(stale, states, revs);
    const unchanged = new Map<string, StoredEvaluationState>();
    const repeat: MilestoneUser[] = [];
    for (const user of stale) {
      const evaluation = evaluations.get(user.userId);
      const version = states.get(user.userId)?.version ?? 0;
      if (!evaluation) continue;
      if (hasNoEffect(evaluation)) unchanged.set(user.userId, { ...evaluation.state, version });
      else if (!(await applyIfProcessed(user.userId, version, evaluation))) repeat.push(user);
    }
    await store.saveStates(unchanged);
    return repeat;
  };

  const refresh: MilestoneAwards['refresh'] = async (candidates) => {
    let left = candidates.filter(isProcessed);
    for (let attempt = 1; left.length > 0 && attempt <= maxAttempts; attempt++)
      left = await refreshOnce(left);
  };

  const refreshScheduled = async () => {
    while (scheduled.size > 0) {
      const ids = [...scheduled].slice(0, usersPerBatch);
      for (const id of ids) scheduled.delete(id);
      const holders = new Set((await store.listAwarded(ids)).map(({ userId }) => userId));
      if (holders.size > 0) await refresh([...(await users.settingsOfMany([...holders])).values()]);
    }
  };

  return {
    refresh,
    drainUser: (userId) => runExclusive(userId, () => Promise.resolve()).catch(() => undefined),
    refreshSoon(userId) {
      scheduled.add(userId);
      running ??= refreshScheduled()
        .catch((error: unknown) => {
          // The next list of milestones and the job of the next day refresh them too.
          log.warn({ event: 'milestones.refresh_failed', err: error }, 'milestone refresh failed');
        })
        .finally(() => {
          running = undefined;
        });
    },
    drain: () => running ?? Promise.resolve(),
  };
};

const hasNoEffect = ({ revoked, changed, reached }: Evaluation): boolean =>
  revoked.length + changed.length + reached.length === 0;
