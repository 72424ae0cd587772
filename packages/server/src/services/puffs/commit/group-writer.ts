import type { PuffMetrics } from '../log/puff-metrics.ts';
import type { PuffStore } from '../log/puff-store.ts';
import type { RecordedPuff } from '../domain/puff.ts';
import type { PuffStateCache } from '../state/puff-state-cache.ts';
import type { PuffState } from '../state/puff-state.ts';
import type { PendingCount, PendingPuff } from './pending.ts';
import type { PersonQueues } from './person-queues.ts';
import type { PersonWrite } from './write-plan.ts';

/** Inserts the puffs of a group, and gives each its outcome. */
export type GroupWriter = (writes: readonly PersonWrite[]) => Promise<void>;

/** A puff loses its number to another process at most so often before it fails as `overloaded`. */
const maxAttempts = 20;

export const createGroupWriter = (deps: {
  store: Pick<PuffStore, 'insert' | 'findUsedIds'>;
  states: Pick<PuffStateCache, 'getCurrent' | 'drop'>;
  onChange: (person: string, state: PuffState) => void;
  metrics: Pick<PuffMetrics, 'groupWritten'>;
  pending: PendingCount;
  queues: Pick<PersonQueues, 'suspend'>;
}): GroupWriter => {
  const { store, states, onChange, metrics, pending, queues } = deps;

  const applyWrite = ({ person, state, numbered }: PersonWrite) => {
    for (const { puff } of numbered)
      state.fold({ rev: puff.rev, kind: 'puff', counted: puff, receivedAt: puff.receivedAt });
    onChange(person, state);
    for (const { item, puff } of numbered) pending.complete(item, { status: 'created', puff }, state);
  };

  /**
   * Some keys were taken: known ids, or numbers that another process took. Folding the log fills the sequence gaps below
   * the numbers that were inserted. Returns the puffs that need new numbers in a later group.
   */
  const resolveConflicts = async (
    { person, numbered }: PersonWrite,
    failed: ReadonlySet<RecordedPuff>,
  ): Promise<PendingPuff[]> => {
    const state = await states.getCurrent(person);
    const used = await store.findUsedIds(
      person,
      [...failed].map((puff) => puff.id),
    );
    const retries: PendingPuff[] = [];
    for (const { item, puff } of numbered)
      if (!failed.has(puff)) pending.complete(item, { status: 'created', puff }, state);
    for (const { item, puff } of numbered) {
      if (!failed.has(puff)) continue;
      item.checked = true;
      item.attempts += 1;
      if (used.has(puff.id)) pending.complete(item, { status: 'duplicate' }, state);
      else if (item.attempts > maxAttempts)
        pending.fail([item], new Error('other processes took every number'));
      else retries.push(item);
    }
    return retries;
  };

  const itemsOf = ({ numbered }: PersonWrite) => numbered.map(({ item }) => item);

  return async (writes) => {
    const records = writes.flatMap(({ person, numbered }) => numbered.map(({ puff }) => ({ person, puff })));
    const startedAt = performance.now();
    let taken: ReadonlySet<number>;
    try {
      taken = await store.insert(records);
    } catch (error) {
      for (const write of writes) {
        states.drop(write.person);
        pending.fail(itemsOf(write), error);
      }
      return;
    } finally {
      metrics.groupWritten(records.length, performance.now() - startedAt);
    }
    let position = 0;
    for (const write of writes) {
      const failed = new Set<RecordedPuff>();
      for (const { puff } of write.numbered) if (taken.has(position++)) failed.add(puff);
      if (failed.size === 0) applyWrite(write);
      else queues.suspend(write.person, itemsOf(write), () => resolveConflicts(write, failed));
    }
  };
};
