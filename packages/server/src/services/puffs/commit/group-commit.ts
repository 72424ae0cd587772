import { groupBy } from '../../../platform/group-by.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { Admission } from './admission.ts';
import { createBatchQueue, type BatchQueue } from './batch-queue.ts';
import type { NewPuff, RecordedPuff } from '../domain/puff.ts';
import {
  dayIsFull,
  isTurn,
  monthsOfDay,
  planWrite,
  readyOf,
  type AppendAnswer,
  type Item,
  type Outcome,
  type PersonWrite,
  type Request,
  type Turn,
} from './puff-group.ts';
import type { PuffMetrics } from '../log/puff-metrics.ts';
import type { PuffStateCache } from '../state/puff-state-cache.ts';
import type { PuffState } from '../state/puff-state.ts';
import type { PuffStore } from '../log/puff-store.ts';
import { accountGone, refusalOf, unavailable } from './commit-errors.ts';

export interface GroupCommit {
  /**
   * Puts puffs into the person's log; resolves when each is on disk on a majority of the database's members, or needs
   * no place there. Throws `overloaded` where that is not known, or the queue is full: the same call is safe again.
   */
  append(person: string, puffs: readonly NewPuff[], dayStartHour: number): Promise<AppendAnswer>;
  /** Runs `work` while no puff of this person is under way in this process. */
  alone<T>(person: string, work: () => Promise<T>): Promise<T>;
  /**
   * Resolves when everything of this person that was queued before is stored or refused. Never rejects. What is planned
   * afterwards is checked by the admission of that moment.
   */
  drain(person: string): Promise<void>;
  /** Puffs and changes that are queued or under way. */
  depth(): number;
  /** Resolves when nothing is queued or under way. */
  settle(): Promise<void>;
}

type Waiting = Item | Turn;

/** So many puffs go in one write at most. */
const maxGroup = 1_000;
/** A number is lost to another process at most so often before the puff is given back as `overloaded`. */
const maxAttempts = 20;

/**
 * Group commit (docs/architecture.md): puffs that arrive while a write is under way go together in the next one. People
 * are spread over a few lanes by a hash; one write in flight for each lane, so one for each person of this process.
 */
export const createGroupCommit = (deps: {
  store: PuffStore;
  states: PuffStateCache;
  onChange: (person: string, state: PuffState) => void;
  admission: Admission;
  /** What waits for a person who was erased meanwhile is refused with `account-gone`. */
  isErased: (person: string) => boolean;
  log: Logger;
  metrics: Pick<PuffMetrics, 'groupWritten'>;
  lanes: number;
  maxQueued: number;
}): GroupCommit => {
  const { store, states, onChange, metrics } = deps;
  /** People whose state is loaded or repaired at the moment: their puffs wait here, and nobody else's do. */
  const parked = new Map<string, Waiting[]>();
  const whenIdle: (() => void)[] = [];
  let waiting = 0;

  const done = (count: number) => {
    waiting -= count;
    if (waiting === 0) for (const resolve of whenIdle.splice(0)) resolve();
  };

  const finish = (item: Item, outcome: Outcome, state: PuffState) => {
    const { request } = item;
    request.outcomes[item.position] = outcome;
    request.open -= 1;
    if (request.open === 0) request.resolve({ outcomes: request.outcomes, state });
    done(1);
  };

  const fail = (items: readonly Item[], error: unknown) => {
    const unfinished = items.filter((item) => item.request.outcomes[item.position] === undefined);
    for (const item of unfinished) item.request.reject(refusalOf(error));
    done(unfinished.length);
  };

  const refuse = (turns: readonly Turn[], items: readonly Item[], error: unknown) => {
    fail(items, error);
    for (const turn of turns) {
      turn.reject(refusalOf(error));
      done(1);
    }
  };

  const enqueue = (person: string, items: readonly Waiting[]) => {
    const queue = parked.get(person);
    if (queue) for (const item of items) queue.push(item);
    else lanes[hash(person) % lanes.length]?.push(items);
  };

  /** Takes a person out of the lane while `work` runs. What it answers goes back in, before what came meanwhile. */
  const park = (person: string, items: readonly Item[], work: () => Promise<readonly Item[]>) => {
    parked.set(person, []);
    void work()
      .catch((error: unknown): Item[] => {
        states.drop(person);
        fail(items, error);
        return [];
      })
      .then((again) => {
        const meanwhile = parked.get(person) ?? [];
        parked.delete(person);
        if (again.length + meanwhile.length > 0) enqueue(person, [...again, ...meanwhile]);
      });
  };

  /** Turns go before the puffs that came with them. */
  const take = async (turns: readonly Turn[], items: readonly Item[]): Promise<readonly Item[]> => {
    for (const { run } of turns) {
      await run();
      done(1);
    }
    return items;
  };

  /** Asks the log which ids it has, so that known ones take no numbers, and loads the state where it has to be. */
  const prepare = async (person: string, items: readonly Item[]): Promise<Item[]> => {
    const used = await store.findUsedIds(
      person,
      items.map((item) => item.puff.id),
    );
    const months = new Set(items.flatMap(monthsOfDay));
    const held = states.peek(person);
    const isEnough = used.size === 0 && held && items.every((item) => isReady(held, item));
    // After the ids: the answer to a known one counts it.
    const state = isEnough ? held : await states.getWithMonths(person, months);
    const fresh: Item[] = [];
    for (const item of items) {
      item.checked = true;
      if (used.has(item.puff.id)) finish(item, { status: 'duplicate' }, state);
      else fresh.push(item);
    }
    return fresh;
  };

  const commit = async (taken: readonly Waiting[]): Promise<void> => {
    const writes: PersonWrite[] = [];
    for (const [person, waitingOnes] of groupBy(taken, ({ person }) => person)) {
      if (parked.has(person)) {
        enqueue(person, waitingOnes);
        continue;
      }
      let items = waitingOnes.filter((one): one is Item => !isTurn(one));
      const turns = waitingOnes.filter(isTurn);
      if (deps.isErased(person)) {
        refuse(turns, items, accountGone());
        continue;
      }
      // The last moment at which nothing of these puffs is stored: a consent may be gone that was there on arrival.
      const refusal = deps.admission.refusal(person);
      if (refusal) {
        fail(items, refusal);
        items = [];
      }
      if (turns.length > 0) {
        park(person, items, () => take(turns, items));
        continue;
      }
      if (items.length === 0) continue;
      if (refusal === undefined) {
        park(person, items, () => deps.admission.read(person).then(() => items));
        continue;
      }
      const state = states.peek(person);
      const ready = readyOf(items);
      if (!state || ready.length === 0 || ready.some((item) => !isReady(state, item))) {
        park(person, items, () => prepare(person, items));
        continue;
      }
      const plan = planWrite(person, state, ready);
      for (const item of plan.full) finish(item, { status: 'day-full' }, state);
      // The same id stands earlier in this group: the log is asked for it then, once for all that repeat it.
      for (const item of plan.repeated) item.checked = false;
      const later = [...plan.repeated, ...items.filter((item) => !ready.includes(item))];
      if (later.length > 0) enqueue(person, later);
      if (plan.numbered.length > 0) writes.push(plan);
    }
    if (writes.length > 0) await write(writes);
  };

  const write = async (writes: readonly PersonWrite[]): Promise<void> => {
    const records = writes.flatMap(({ person, numbered }) => numbered.map(({ puff }) => ({ person, puff })));
    const startedAt = performance.now();
    let taken: ReadonlySet<number>;
    try {
      taken = await store.insert(records);
    } catch (error) {
      for (const { person, numbered } of writes) {
        states.drop(person);
        fail(
          numbered.map(({ item }) => item),
          error,
        );
      }
      return;
    } finally {
      metrics.groupWritten(records.length, performance.now() - startedAt);
    }
    let position = 0;
    for (const { person, state, numbered } of writes) {
      const failed = new Set<RecordedPuff>();
      for (const { puff } of numbered) if (taken.has(position++)) failed.add(puff);
      if (failed.size === 0) applyWrite(person, state, numbered);
      else
        park(
          person,
          numbered.map(({ item }) => item),
          () => repair(person, numbered, failed),
        );
    }
  };

  const applyWrite = (person: string, state: PuffState, numbered: PersonWrite['numbered']) => {
    for (const { puff } of numbered)
      state.fold({ rev: puff.rev, kind: 'puff', counted: puff, receivedAt: puff.receivedAt });
    onChange(person, state);
    for (const { item, puff } of numbered) finish(item, { status: 'created', puff }, state);
  };

  /**
   * Some keys were taken: known ids, or numbers that another process took. The log is folded, which fills the numbers
   * left out below one that went in; what still has no place takes new numbers in a later group.
   */
  const repair = async (
    person: string,
    numbered: PersonWrite['numbered'],
    failed: ReadonlySet<RecordedPuff>,
  ): Promise<Item[]> => {
    const written = numbered.filter(({ puff }) => !failed.has(puff));
    const state = await states.getCurrent(person);
    const used = await store.findUsedIds(
      person,
      [...failed].map((puff) => puff.id),
    );
    for (const { item, puff } of written) finish(item, { status: 'created', puff }, state);
    const again: Item[] = [];
    for (const { item, puff } of numbered) {
      if (!failed.has(puff)) continue;
      item.checked = true;
      item.attempts += 1;
      if (used.has(puff.id)) finish(item, { status: 'duplicate' }, state);
      else if (item.attempts > maxAttempts) fail([item], new Error('other processes took every number'));
      else again.push(item);
    }
    return again;
  };

  const lanes: BatchQueue<Waiting>[] = Array.from({ length: deps.lanes }, () =>
    createBatchQueue<Waiting>({
      maxGroup,
      commit,
      onError: (group, error) => {
        deps.log.error({ err: error }, 'a group of puffs failed');
        refuse(
          group.filter(isTurn),
          group.filter((one): one is Item => !isTurn(one)),
          error,
        );
      },
    }),
  );

  return {
    append(person, puffs, dayStartHour) {
      if (waiting + puffs.length > deps.maxQueued)
        return Promise.reject(unavailable(new Error(`${waiting} puffs are waiting`)));
      waiting += puffs.length;
      return new Promise((resolve, reject) => {
        const request: Request = {
          size: puffs.length,
          outcomes: [],
          open: puffs.length,
          resolve,
          reject,
        };
        enqueue(
          person,
          puffs.map((puff, position) => ({
            person,
            puff,
            dayStartHour,
            request,
            position,
            checked: false,
            attempts: 0,
          })),
        );
      });
    },
    alone(person, work) {
      if (waiting >= deps.maxQueued)
        return Promise.reject(unavailable(new Error(`${waiting} puffs are waiting`)));
      waiting += 1;
      return new Promise((resolve, reject) => {
        enqueue(person, [{ person, run: () => work().then(resolve, reject), reject }]);
      });
    },
    drain(person) {
      if (waiting === 0) return Promise.resolve();
      // Counted, but never refused for a full queue: a withdrawal must not fail because the server is busy.
      waiting += 1;
      return new Promise((resolve) => {
        const reject = () => {
          resolve();
        };
        enqueue(person, [{ person, run: () => Promise.resolve().then(resolve), reject }]);
      });
    },
    depth: () => waiting,
    settle: () => (waiting === 0 ? Promise.resolve() : new Promise((resolve) => whenIdle.push(resolve))),
  };
};

/** Whether the bound of its day can be read, and does not call for a look at the log first. */
const isReady = (state: PuffState, item: Item): boolean =>
  monthsOfDay(item).every((month) => state.isMonthLoaded(month)) && (item.checked || !dayIsFull(state, item));

/** FNV-1a. */
const hash = (value: string): number => {
  let code = 0x811c9dc5;
  for (let index = 0; index < value.length; index++)
    code = Math.imul(code ^ value.charCodeAt(index), 0x01000193);
  return code >>> 0;
};
