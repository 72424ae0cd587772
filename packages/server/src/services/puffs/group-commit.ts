import { DomainError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { createLane, type Lane } from './lane.ts';
import type { NewPuff, RecordedPuff } from './puff.ts';
import {
  byPerson,
  dayIsFull,
  planWrite,
  type Item,
  type Outcome,
  type PersonWrite,
  type Request,
} from './puff-group.ts';
import type { PuffPeople } from './puff-people.ts';
import type { PuffState } from './puff-state.ts';
import { UnknownOutcome, type PuffStore } from './puff-store.ts';

export interface GroupCommit {
  /**
   * Puts puffs into the person's log; resolves when each is on disk on a majority of the database's members, or needs
   * no place there. Throws `overloaded` where that is not known, or the queue is full: the same call is safe again.
   */
  append(person: string, puffs: readonly NewPuff[], dayStartHour: number): Promise<AppendAnswer>;
  /** Resolves when nothing is queued or under way. */
  settle(): Promise<void>;
}

export interface AppendAnswer {
  /** In the order of the puffs. */
  readonly outcomes: readonly Outcome[];
  /** The person's state; it counts every puff that was created here. */
  readonly state: PuffState;
}

/** So many puffs go in one write at most. */
const maxGroup = 1_000;
/** A number is lost to another process at most so often before the puff is given back as `overloaded`. */
const maxAttempts = 20;

/**
 * Group commit (design.md section 3): puffs that arrive while a write is under way go together in the next one. People
 * are spread over a few lanes by a hash; one write in flight for each lane, so one for each person of this process.
 */
export const createGroupCommit = (deps: {
  store: PuffStore;
  people: PuffPeople;
  onChange: (person: string, state: PuffState) => void;
  log: Logger;
  lanes: number;
  maxQueued: number;
}): GroupCommit => {
  const { store, people, onChange } = deps;
  /** People whose state is loaded or repaired at the moment: their puffs wait here, and nobody else's do. */
  const parked = new Map<string, Item[]>();
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
    for (const item of unfinished) item.request.reject(unavailable(error));
    done(unfinished.length);
  };

  const enqueue = (person: string, items: readonly Item[]) => {
    const queue = parked.get(person);
    if (queue) queue.push(...items);
    else lanes[hash(person) % lanes.length]?.push(items);
  };

  /** Takes a person out of the lane while `work` runs. What it answers goes back in, before what came meanwhile. */
  const park = (person: string, items: readonly Item[], work: () => Promise<readonly Item[]>) => {
    parked.set(person, []);
    void work()
      .catch((error: unknown): Item[] => {
        people.drop(person);
        fail(items, error);
        return [];
      })
      .then((again) => {
        const meanwhile = parked.get(person) ?? [];
        parked.delete(person);
        if (again.length + meanwhile.length > 0) enqueue(person, [...again, ...meanwhile]);
      });
  };

  /** Loads the state and asks the log which ids it has, so that known ones take no numbers. */
  const prepare = async (person: string, items: readonly Item[]): Promise<Item[]> => {
    const state = await people.current(person);
    const used = await store.findUsedIds(
      person,
      items.map((item) => item.puff.id),
    );
    const fresh: Item[] = [];
    for (const item of items) {
      item.checked = true;
      if (used.has(item.puff.id)) finish(item, { status: 'duplicate' }, state);
      else fresh.push(item);
    }
    return fresh;
  };

  const commit = async (taken: readonly Item[]): Promise<void> => {
    const writes: PersonWrite[] = [];
    for (const [person, items] of byPerson(taken)) {
      const state = people.peek(person);
      if (parked.has(person)) {
        enqueue(person, items);
        continue;
      }
      const ready = items.length === 1 ? items : items.filter((item) => item.checked);
      if (!state || ready.length === 0 || ready.some((item) => !item.checked && dayIsFull(state, item))) {
        park(person, items, () => prepare(person, items));
        continue;
      }
      const plan = planWrite(person, state, ready);
      for (const item of plan.full) finish(item, { status: 'day-full' }, state);
      const later = [...plan.repeated, ...items.filter((item) => !ready.includes(item))];
      if (later.length > 0) enqueue(person, later);
      if (plan.numbered.length > 0) writes.push(plan);
    }
    if (writes.length > 0) await write(writes);
  };

  const write = async (writes: readonly PersonWrite[]): Promise<void> => {
    let taken: ReadonlySet<number>;
    try {
      taken = await store.insert(
        writes.flatMap(({ person, numbered }) => numbered.map(({ puff }) => ({ person, puff }))),
      );
    } catch (error) {
      for (const { person, numbered } of writes) {
        people.drop(person);
        fail(
          numbered.map(({ item }) => item),
          error,
        );
      }
      return;
    }
    let position = 0;
    for (const { person, state, numbered } of writes) {
      const failed = new Set<RecordedPuff>();
      for (const { puff } of numbered) if (taken.has(position++)) failed.add(puff);
      if (failed.size === 0) settleWrite(person, state, numbered);
      else
        park(
          person,
          numbered.map(({ item }) => item),
          () => repair(person, numbered, failed),
        );
    }
  };

  const settleWrite = (person: string, state: PuffState, numbered: PersonWrite['numbered']) => {
    for (const { puff } of numbered) state.fold({ ...puff, kind: 'puff' });
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
    const state = await people.current(person);
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

  const lanes: Lane<Item>[] = Array.from({ length: deps.lanes }, () =>
    createLane<Item>({
      maxGroup,
      commit,
      onError: (items, error) => {
        deps.log.error({ err: error }, 'a group of puffs failed');
        fail(items, error);
      },
    }),
  );

  return {
    append(person, puffs, dayStartHour) {
      if (waiting + puffs.length > deps.maxQueued)
        return Promise.reject(unavailable(new Error(`${waiting} puffs are waiting`)));
      waiting += puffs.length;
      return new Promise((resolve, reject) => {
        const request: Request = { outcomes: [], open: puffs.length, resolve, reject };
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
    settle: () => (waiting === 0 ? Promise.resolve() : new Promise((resolve) => whenIdle.push(resolve))),
  };
};

const unavailable = (cause: unknown): DomainError =>
  new DomainError('overloaded', {
    detail:
      cause instanceof UnknownOutcome
        ? 'The database did not confirm the write. Send the same puffs again: none is counted twice.'
        : 'The server cannot take this now. Send the same puffs again: none is counted twice.',
    retryAfterSeconds: 1,
    cause,
  });

/** FNV-1a. */
const hash = (value: string): number => {
  let code = 0x811c9dc5;
  for (let index = 0; index < value.length; index++)
    code = Math.imul(code ^ value.charCodeAt(index), 0x01000193);
  return code >>> 0;
};
