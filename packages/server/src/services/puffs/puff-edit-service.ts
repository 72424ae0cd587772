import type { ChangedPuff, PuffEdit, UndoAnswer, UserStats } from '@pufftrack/contract';
import type { Clock } from '../../platform/clock.ts';
import { DomainError } from '../../platform/edge/errors.ts';
import type { Actor } from '../../platform/edge/actor.ts';
import {
  clearPurgeMs,
  editedPuff,
  restoreWindowMs,
  retractWindowMs,
  timeProblem,
  timeRejectionOf,
  undoWindowMs,
  wasShownLive,
} from './domain/puff.ts';
import type { EditResult, EditTarget } from './commit/log-editor.ts';
import type { CountedPuff } from './domain/log-record.ts';
import type { PuffLog } from './commit/puff-log.ts';
import { createWriterCheck } from './commit/admission.ts';
import type { ConsentPolicy, LiveEvents, PuffPerson, StatsReader, UserDirectory } from './ports.ts';
import type { PuffStore } from './log/puff-store.ts';
import { viewPuff } from './domain/puff-view.ts';

/** Changes of recorded puffs (domain.md D3). Throws `not-found` for an unknown id. */
export interface PuffEditService {
  /** Throws `puff-deleted`, `day-full`, and what the time rules of a new puff throw. */
  edit(actor: Actor, id: string, edit: PuffEdit): Promise<ChangedPuff>;
  /** Deleting again changes nothing. */
  remove(actor: Actor, id: string): Promise<{ stats: UserStats }>;
  /** Throws `puff-deleted` where it is too late, and `day-full`; a live puff stays as it is. */
  restore(actor: Actor, id: string): Promise<ChangedPuff>;
  /** With an id idempotent; throws `undo-too-late`. Without, the newest live puff that this session sent. */
  undo(actor: Actor, id: string | undefined): Promise<UndoAnswer>;
  removeAll(actor: Actor): Promise<{ deleted: number; stats: UserStats }>;
}

export const createPuffEditService = <Person extends PuffPerson>(deps: {
  puffLog: PuffLog;
  store: PuffStore;
  clock: Clock;
  users: Pick<UserDirectory<Person>, 'settings'>;
  consents: ConsentPolicy<Person>;
  stats: StatsReader<Person>;
  liveEvents: Pick<LiveEvents<Person>, 'puffsChanged'>;
}): PuffEditService => {
  const { puffLog, store, clock } = deps;

  const requireWriter = createWriterCheck(deps);

  /** `puff-deleted` for a puff that a deletion of all has hidden, or whose content was removed; else `not-found`. */
  const missing = async (person: Person, id: string): Promise<DomainError> =>
    (await store.find(person.userId, id)) ? deleted() : noPuff();

  const answerLive = async (
    person: Person,
    actor: Actor,
    { state, puff, changed }: EditResult,
  ): Promise<ChangedPuff> => {
    if (!puff) throw new Error('a puff that may be changed is there');
    const answer = {
      puff: viewPuff(puff, person.dayStartHour),
      stats: await deps.stats.statsOf(person, state),
    };
    if (changed) await deps.liveEvents.puffsChanged({ person, sessionId: actor.sessionId, ...answer });
    return answer;
  };

  /**
   * The deleted puffs that need a retraction event. A puff was shown as `friendPuff` where it was received
   * within 10 minutes of its first timestamp; the record holds both times. It is retracted once, so
   * not where it was deleted before and restored, and only for 24 hours. The users service determines the audience, by
   * the time since when each friend has been live (`liveViewersOf`).
   */
  const retractedOf = async (
    userId: string,
    puffs: readonly { id: string; receivedAt: number; original: CountedPuff }[],
    { at, rev }: { at: number; rev: number },
  ) => {
    const shown = puffs.filter(
      ({ receivedAt, original }) => at - receivedAt <= retractWindowMs && wasShownLive(original, receivedAt),
    );
    if (shown.length === 0) return [];
    const before = await store.findEverDeleted(
      userId,
      shown.map(({ id }) => id),
      rev,
    );
    return shown.flatMap(({ id, receivedAt, original: { quantity } }) =>
      before.has(id) ? [] : [{ quantity, receivedAt }],
    );
  };

  const announceDeletion = async (
    person: Person,
    actor: Actor,
    stats: UserStats,
    { found, puff, changed }: EditResult,
  ) => {
    if (!found || !puff || !changed) return;
    const { id, rev, receivedAt } = puff;
    const { original } = found;
    const now = { at: clock.now(), rev };
    const retracted = await retractedOf(person.userId, [{ id, receivedAt, original }], now);
    await deps.liveEvents.puffsChanged({
      person,
      stats,
      sessionId: actor.sessionId,
      deleted: { id, revision: rev },
      retracted,
    });
  };

  const asDeleted = (found: EditTarget, at: number) => ({ values: found.puff, deletedAt: at });

  return {
    async edit(actor, id, edit) {
      const person = await requireWriter(actor.userId);
      const at = clock.now();
      const rejection =
        edit.timestamp === undefined ? undefined : timeRejectionOf(Date.parse(edit.timestamp), at);
      if (rejection) throw timeProblem(rejection, at);
      const answer = await puffLog.change(person.userId, {
        target: id,
        at,
        dayStartHour: person.dayStartHour,
        decide(found) {
          if (!found) return undefined;
          if (found.deletedAt !== null) throw deleted();
          const values = editedPuff(found.puff, edit, at);
          return values === found.puff ? undefined : { values, deletedAt: null };
        },
      });
      if (!answer.found) throw await missing(person, id);
      return answerLive(person, actor, answer);
    },

    async remove(actor, id) {
      const person = await deps.users.settings(actor.userId);
      const at = clock.now();
      const answer = await puffLog.change(person.userId, {
        target: id,
        at,
        dayStartHour: person.dayStartHour,
        decide: (found) => (found?.deletedAt === null ? asDeleted(found, at) : undefined),
      });
      if (!answer.found && !(await store.find(person.userId, id))) throw noPuff();
      const stats = await deps.stats.statsOf(person, answer.state);
      await announceDeletion(person, actor, stats, answer);
      return { stats };
    },

    async restore(actor, id) {
      const person = await requireWriter(actor.userId);
      const at = clock.now();
      const answer = await puffLog.change(person.userId, {
        target: id,
        at,
        dayStartHour: person.dayStartHour,
        decide(found) {
          if (!found || found.deletedAt === null) return undefined;
          if (at - found.deletedAt > restoreWindowMs) throw deleted();
          return { values: found.puff, deletedAt: null };
        },
      });
      if (!answer.found) throw await missing(person, id);
      return answerLive(person, actor, answer);
    },

    async undo(actor, id) {
      const person = await deps.users.settings(actor.userId);
      const { userId, dayStartHour } = person;
      const at = clock.now();
      const answer = await puffLog.change(userId, {
        target:
          id ??
          (({ rev, clearedRev }) =>
            store.newestOfSession(userId, {
              sessionId: actor.sessionId,
              since: at - undoWindowMs,
              clearedRev,
              rev,
            })),
        at,
        dayStartHour,
        decide(found) {
          if (found?.deletedAt !== null) return undefined;
          if (at - found.puff.receivedAt > undoWindowMs)
            throw new DomainError('undo-too-late', {
              detail: 'A puff can be undone within 10 minutes; after that, delete it.',
            });
          return asDeleted(found, at);
        },
      });
      const stats = await deps.stats.statsOf(person, answer.state);
      await announceDeletion(person, actor, stats, answer);
      return {
        undonePuff: answer.changed && answer.puff ? viewPuff(answer.puff, dayStartHour) : null,
        stats,
      };
    },

    async removeAll(actor) {
      const person = await deps.users.settings(actor.userId);
      const at = clock.now();
      const { state, deleted: count, hidden } = await puffLog.clear(person.userId, at, at + clearPurgeMs);
      const stats = await deps.stats.statsOf(person, state);
      const recent = await store.listReceivedSince(person.userId, { since: at - retractWindowMs, ...hidden });
      const retracted = await retractedOf(person.userId, recent, { at, rev: hidden.before });
      await deps.liveEvents.puffsChanged({ person, stats, sessionId: actor.sessionId, retracted });
      return { deleted: count, stats };
    },
  };
};

const noPuff = () => new DomainError('not-found', { detail: 'No such puff.' });

const deleted = () =>
  new DomainError('puff-deleted', {
    detail:
      'This puff is deleted. POST /puffs/{id}/restore brings it back, within 30 days of its own deletion.',
  });
