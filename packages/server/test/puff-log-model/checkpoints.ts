import { catchUp, fold } from './fold.ts';
import { emptyState, type State } from './state.ts';
import type { Node, Steps, World } from './world.ts';

/** From the checkpoints and the log after them; without usable checkpoints, from the log alone. */
export function* load(world: World, node: Node): Steps<State> {
  const state = yield* loadRows(world, node);
  yield* catchUp(world, node, state);
  return state;
}

function* loadRows(world: World, node: Node): Steps<State> {
  const { rules } = world;
  const early = rules.personRowReadFirst
    ? undefined
    : yield* world.read(node, ({ months }) => new Map(months));
  const person = yield* world.read(node, (view) => view.person);
  if (person === undefined) return emptyState();
  const state = { ...emptyState(), rev: person.rev, total: person.total, clearedRev: person.clearedRev };
  const log = rules.logReadLast ? undefined : yield* world.read(node, (view) => view.after(person.rev));
  const all = rules.onlyNamedMonths ? [...person.months.keys()] : [0, 1, 2];
  for (const name of all) {
    const named = person.months.get(name);
    const row =
      early === undefined ? yield* world.read(node, ({ months }) => months.get(name)) : early.get(name);
    const usable = row !== undefined && !(rules.namedMonthRevs && row.rev < (named ?? 0));
    if (named !== undefined && !usable && rules.missingMonthRebuilds) {
      world.costs.rebuilds++;
      return emptyState();
    }
    if (!usable) continue;
    state.months.set(name, { rev: row.rev, dates: new Map(row.dates) });
    state.stored.set(name, row.rev);
  }
  if (log !== undefined) {
    for (const found of log) yield* fold(world, node, state, found);
    world.checkState(state, 'a load that read the log before the month rows');
  }
  return state;
}

/** The state of this process; two loads at once are allowed, the last one stays. */
export function* currentState(world: World, node: Node): Steps<State> {
  if (node.state !== undefined) return node.state;
  const state = yield* load(world, node);
  node.state ??= state;
  return node.state;
}

/** Writes what has changed: the month rows, then the person row that vouches for them. */
export function* flush(world: World, node: Node): Steps<void> {
  const { rules, store } = world;
  const { state } = node;
  if (state === undefined) return;
  const { rev, total, clearedRev } = state;
  if (!rules.copyInOneTick) yield undefined;
  const majority = rules.waitForMajority && rules.rowsWaitForMajority;
  const rows = [...state.dirty.keys()].map((name) => {
    const month = state.months.get(name);
    return { name, rev: Math.max(rev, month?.rev ?? 0), dates: new Map(month?.dates) };
  });
  const months = new Map(state.stored);
  for (const row of rows) months.set(row.name, row.rev);
  if (!rules.dirtyUntilWritten) state.dirty.clear();
  for (const row of rows) {
    const put = (): void => {
      store.putMonth(row.name, row, rules.guardMonthRow);
    };
    if (!rules.monthsBeforePersonRow) {
      world.send(node, [put]);
      state.dirty.delete(row.name);
      continue;
    }
    yield* world.write(node, [put], majority);
    state.stored.set(row.name, Math.max(row.rev, state.stored.get(row.name) ?? 0));
    if ((state.dirty.get(row.name) ?? 0) <= row.rev) state.dirty.delete(row.name);
  }
  const person = { rev, total, clearedRev, months };
  yield* world.write(
    node,
    [
      () => {
        if (store.putPerson(person, rules.guardPersonRow) === 'set back') world.costs.setBacks++;
      },
    ],
    majority,
  );
}

/** Rows are only a memory of the log: anybody may drop them at any time, in any order. */
export function* dropRows(world: World, node: Node): Steps<void> {
  const { store } = world;
  const months = [0, 1, 2].map((name) => () => {
    store.dropMonth(name);
  });
  const person = (): void => {
    store.dropPerson();
  };
  yield* world.write(node, [person, ...months]);
}
