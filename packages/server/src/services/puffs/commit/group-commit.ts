import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { NewPuff } from '../domain/puff.ts';
import type { PuffMetrics } from '../log/puff-metrics.ts';
import type { PuffStore } from '../log/puff-store.ts';
import type { PuffStateCache } from '../state/puff-state-cache.ts';
import type { PuffState } from '../state/puff-state.ts';
import type { Admission } from './admission.ts';
import { accountGone, unavailable } from './commit-errors.ts';
import { createGroupWriter } from './group-writer.ts';
import {
  isPuff,
  isTask,
  PendingCount,
  type AppendResult,
  type ExclusiveTask,
  type Pending,
  type PendingPuff,
} from './pending.ts';
import { PersonQueues } from './person-queues.ts';
import { byPerson, isReady, monthsOfDay, planWrite, type PersonWrite } from './write-plan.ts';

export interface GroupCommit {
  /**
   * Appends puffs to the person's log; resolves when each is on disk on a majority of the database's members, or is
   * known not to be appended. Throws `overloaded` for an unknown outcome or a full queue; the call is safe to repeat.
   */
  append(person: string, puffs: readonly NewPuff[], dayStartHour: number): Promise<AppendResult>;
  /** Runs `work` while no puff of this person is under way in this process. */
  runExclusive<T>(person: string, work: () => Promise<T>): Promise<T>;
  /**
   * Resolves when everything of this person that was queued before is stored or refused. Never rejects. What is planned
   * afterwards is checked by the admission of that moment.
   */
  drain(person: string): Promise<void>;
  /** Puffs and tasks that are queued or under way. */
  depth(): number;
  /** Resolves when nothing is queued or under way. */
  drainAll(): Promise<void>;
}

/** At most so many puffs go in one write. */
const maxGroup = 1_000;

/**
 * Group commit (docs/architecture.md): puffs that arrive while a write is under way go together in the next one. Each
 * shard has one write in flight, so each person of this process has one.
 */
export const createGroupCommit = (deps: {
  store: Pick<PuffStore, 'insert' | 'findUsedIds'>;
  states: Pick<PuffStateCache, 'peek' | 'getCurrent' | 'getWithMonths' | 'drop'>;
  onChange: (person: string, state: PuffState) => void;
  admission: Admission;
  /** Pending work of a person whose account was erased meanwhile is refused with `account-gone`. */
  isErased: (person: string) => boolean;
  log: Logger;
  metrics: Pick<PuffMetrics, 'groupWritten'>;
  shards: number;
  maxQueued: number;
}): GroupCommit => {
  const { store, states, admission } = deps;
  const pending = new PendingCount();

  /** Tasks run before the puffs that arrived with them. */
  const runExclusiveTasks = async (tasks: readonly ExclusiveTask[], puffs: readonly PendingPuff[]) => {
    for (const task of tasks) {
      if (task.finished) continue;
      await task.run();
      pending.completeTask(task);
    }
    return puffs;
  };

  /** Queries which ids the log holds, so that known ones take no numbers, and loads the state where it has to be. */
  const prepare = async (person: string, items: readonly PendingPuff[]): Promise<PendingPuff[]> => {
    const used = await store.findUsedIds(
      person,
      items.map((item) => item.puff.id),
    );
    const months = new Set(items.flatMap(monthsOfDay));
    const cached = states.peek(person);
    const isEnough = used.size === 0 && cached && items.every((item) => isReady(cached, item));
    // After the ids: the state answered with a duplicate counts that puff.
    const state = isEnough ? cached : await states.getWithMonths(person, months);
    const fresh: PendingPuff[] = [];
    for (const item of items) {
      item.checked = true;
      if (used.has(item.puff.id)) pending.complete(item, { status: 'duplicate' }, state);
      else fresh.push(item);
    }
    return fresh;
  };

  /** What of one person's work can be written now. The rest is refused, suspended or enqueued again. */
  const dispatch = (person: string, arrived: readonly Pending[]): PersonWrite | undefined => {
    if (queues.isSuspended(person)) {
      queues.enqueue(person, arrived);
      return undefined;
    }
    if (deps.isErased(person)) {
      pending.fail(arrived, accountGone());
      return undefined;
    }
    const tasks = arrived.filter(isTask);
    let puffs = arrived.filter(isPuff);
    // The last moment at which nothing of these puffs is stored: a consent may have been withdrawn since they arrived.
    const admitted = admission.check(person);
    if (admitted !== 'granted' && admitted !== 'unknown') {
      pending.fail(puffs, admitted);
      puffs = [];
    }
    if (tasks.length > 0) queues.suspend(person, puffs, () => runExclusiveTasks(tasks, puffs));
    else if (puffs.length === 0) return undefined;
    else if (admitted === 'unknown')
      queues.suspend(person, puffs, () => admission.read(person).then(() => puffs));
    else return plan(person, puffs);
    return undefined;
  };

  const plan = (person: string, puffs: readonly PendingPuff[]): PersonWrite | undefined => {
    const planned = planWrite(person, states.peek(person), puffs);
    if (!planned) {
      queues.suspend(person, puffs, () => prepare(person, puffs));
      return undefined;
    }
    const { state, numbered, full, repeated, unchecked } = planned;
    for (const item of full) pending.complete(item, { status: 'day-full' }, state);
    // Their ids are queried in the next group, one query for all.
    for (const item of repeated) item.checked = false;
    if (repeated.length + unchecked.length > 0) queues.enqueue(person, [...repeated, ...unchecked]);
    return numbered.length > 0 ? planned : undefined;
  };

  const commit = async (group: readonly Pending[]): Promise<void> => {
    const writes: PersonWrite[] = [];
    for (const [person, arrived] of byPerson(group.filter(({ finished }) => !finished))) {
      const write = dispatch(person, arrived);
      if (write) writes.push(write);
    }
    if (writes.length > 0) await writeGroup(writes);
  };

  const queues = new PersonQueues({
    shards: deps.shards,
    maxGroup,
    commit,
    onCommitError(group, error) {
      deps.log.error({ event: 'puffs.commit_failed', err: error }, 'group commit failed');
      // A fold may have stopped halfway.
      for (const { person } of group) states.drop(person);
      pending.fail(group, error);
    },
    onSuspendedError(person, items, error) {
      states.drop(person);
      pending.fail(items, error);
    },
  });
  const writeGroup = createGroupWriter({ ...deps, pending, queues });

  const queueIsFull = () => Promise.reject(unavailable(new Error(`${pending.count} puffs are queued`)));

  return {
    append(person, puffs, dayStartHour) {
      if (pending.count + puffs.length > deps.maxQueued) return queueIsFull();
      pending.add(puffs.length);
      return new Promise((resolve, reject) => {
        const request = { size: puffs.length, outcomes: [], open: puffs.length, resolve, reject };
        queues.enqueue(
          person,
          puffs.map((puff, position) => ({
            person,
            puff,
            dayStartHour,
            request,
            position,
            checked: false,
            attempts: 0,
            finished: false,
          })),
        );
      });
    },
    runExclusive(person, work) {
      if (pending.count >= deps.maxQueued) return queueIsFull();
      pending.add(1);
      return new Promise((resolve, reject) => {
        const run = () => work().then(resolve, reject);
        queues.enqueue(person, [{ person, run, reject, finished: false }]);
      });
    },
    drain(person) {
      if (pending.count === 0) return Promise.resolve();
      // Counted, but never refused for a full queue: a withdrawal must not fail because the server is busy.
      pending.add(1);
      return new Promise((resolve) => {
        const reject = () => {
          resolve();
        };
        queues.enqueue(person, [
          { person, run: () => Promise.resolve().then(resolve), reject, finished: false },
        ]);
      });
    },
    depth: () => pending.count,
    drainAll: () => pending.idle(),
  };
};
