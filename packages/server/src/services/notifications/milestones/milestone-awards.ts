import type { Purpose } from '@pufftrack/contract';
import type { ClientSession } from 'mongodb';
import { groupBy } from '../../../platform/group-by.ts';
import type { Clock } from '../../../platform/clock.ts';
import { newId } from '../../../platform/ids.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { createKeyedMutex } from '../../../platform/concurrency/keyed-mutex.ts';
import { lastDayOver, milestoneVersion, type Judgement, type ToJudge } from '../../analytics/index.ts';
import { isProcessed } from '../../users/index.ts';
import type { CheerStore } from '../cheers/cheer-store.ts';
import type { InboxStore } from '../inbox/inbox-store.ts';
import type { Notify } from '../inbox/inbox-service.ts';
import { stillToGive, worthTelling, type GivenMilestone } from './milestone.ts';
import type { JudgedState, MilestoneStore } from './milestone-store.ts';

/** A person as milestones need them; users gives it. */
export type MilestonePerson = ToJudge['person'] & { readonly consents: ReadonlySet<Purpose> };

/** Gives milestones and takes back those whose days do not say so any more. */
export interface MilestoneAwards {
  /** Brings the milestones of these people up to date; whoever has withdrawn a consent is left as they are. */
  refresh(people: readonly MilestonePerson[]): Promise<void>;
  /** The past of a person may have changed: looks soon at what they hold, without being waited for. */
  soon(userId: string): void;
  /** Resolves when no award of this person is under way in this process. */
  drain(userId: string): Promise<void>;
  settle(): Promise<void>;
}

export interface MilestoneAwardsDeps {
  store: MilestoneStore;
  cheers: Pick<CheerStore, 'removeOf'>;
  inbox: Pick<InboxStore, 'readAbout'>;
  notify: Notify;
  inTransaction: <T>(work: (tx: ClientSession) => Promise<T>) => Promise<T>;
  judge: (
    people: readonly ToJudge[],
    revs: ReadonlyMap<string, number>,
  ) => Promise<ReadonlyMap<string, Judgement>>;
  newestRevs: (userIds: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  people: (userIds: readonly string[]) => Promise<ReadonlyMap<string, MilestonePerson>>;
  clock: Clock;
  log: Logger;
}

const peopleAtOnce = 50;
/** Where others change what a person holds at the same moment; after that, whoever asks next looks again. */
const attempts = 3;

export const createMilestoneAwards = (deps: MilestoneAwardsDeps): MilestoneAwards => {
  const { store, cheers, inbox, clock, log } = deps;
  const runExclusive = createKeyedMutex(clock);
  const waiting = new Set<string>();
  let looking: Promise<void> | undefined;

  const isUpToDate = (person: MilestonePerson, state: JudgedState | undefined, rev: number): boolean =>
    state !== undefined &&
    state.rev >= rev &&
    state.settingsVersion === person.settingsVersion &&
    state.through === lastDayOver(person, clock.now());

  /**
   * All of it or nothing: a worker that is killed has given nothing, and told nothing. False where somebody else has
   * changed what this person holds since it was judged.
   */
  const award = (userId: string, turn: number, judgement: Judgement): Promise<boolean> =>
    deps.inTransaction(async (tx) => {
      if (!(await store.advance(userId, { ...judgement.state, turn }, tx))) return false;
      const now = clock.now();
      const { changed } = judgement;
      await store.revoke(judgement.void, now, tx);
      await cheers.removeOf(judgement.void, tx);
      await inbox.readAbout(userId, judgement.void, now, tx);
      for (const isConfirmed of [true, false]) {
        const ids = changed.filter((one) => one.isConfirmed === isConfirmed).map(({ id }) => id);
        await store.setConfirmed(ids, isConfirmed, tx);
      }
      const held = await store.listHeld([userId], { tx });
      const fresh = stillToGive(judgement.reached, held).map((one): GivenMilestone => ({
        ...one,
        id: newId(),
        userId,
        version: milestoneVersion,
        awardedAt: now,
      }));
      await store.insert(fresh, tx);
      for (const { id, kind, days } of worthTelling(fresh, { held, through: judgement.state.through, now }))
        await deps.notify(tx, userId, { kind: 'milestone-reached', milestoneId: id, milestone: kind, days });
      return true;
    });

  /** A consent may have been withdrawn since the person was judged; then there is nothing to award or to do again. */
  const apply = (userId: string, turn: number, judgement: Judgement): Promise<boolean> =>
    runExclusive(userId, async () => {
      const person = (await deps.people([userId])).get(userId);
      return !person || !isProcessed(person) || award(userId, turn, judgement);
    });

  /** Answers those of the people who have to be looked at again. */
  const look = async (people: readonly MilestonePerson[]): Promise<MilestonePerson[]> => {
    const ids = people.map(({ userId }) => userId);
    const states = await store.states(ids);
    const revs = await deps.newestRevs(ids);
    const stale = people.filter(
      (person) => !isUpToDate(person, states.get(person.userId), revs.get(person.userId) ?? 0),
    );
    if (stale.length === 0) return [];
    const given = groupBy(await store.listHeld(stale.map(({ userId }) => userId)), ({ userId }) => userId);
    const judgements = await deps.judge(
      stale.map((person) => ({
        person,
        given: given.get(person.userId) ?? [],
        state: states.get(person.userId),
      })),
      revs,
    );
    const same = new Map<string, JudgedState>();
    const again: MilestonePerson[] = [];
    for (const person of stale) {
      const judgement = judgements.get(person.userId);
      const turn = states.get(person.userId)?.turn ?? 0;
      if (!judgement) continue;
      if (isAsBefore(judgement)) same.set(person.userId, { ...judgement.state, turn });
      else if (!(await apply(person.userId, turn, judgement))) again.push(person);
    }
    await store.note(same);
    return again;
  };

  const refresh: MilestoneAwards['refresh'] = async (people) => {
    let left = people.filter(isProcessed);
    for (let attempt = 1; left.length > 0 && attempt <= attempts; attempt++) left = await look(left);
  };

  const drain = async () => {
    while (waiting.size > 0) {
      const ids = [...waiting].slice(0, peopleAtOnce);
      for (const id of ids) waiting.delete(id);
      const holders = new Set((await store.listHeld(ids)).map(({ userId }) => userId));
      if (holders.size > 0) await refresh([...(await deps.people([...holders])).values()]);
    }
  };

  return {
    refresh,
    drain: (userId) => runExclusive(userId, () => Promise.resolve()).catch(() => undefined),
    soon(userId) {
      waiting.add(userId);
      looking ??= drain()
        .catch((error: unknown) => {
          // Whoever asks for them, and the job of the next day, look again.
          log.warn({ event: 'milestones.not_judged', err: error }, 'milestones were not looked at');
        })
        .finally(() => {
          looking = undefined;
        });
    },
    settle: () => looking ?? Promise.resolve(),
  };
};

const isAsBefore = (judgement: Judgement): boolean =>
  judgement.void.length + judgement.changed.length + judgement.reached.length === 0;
