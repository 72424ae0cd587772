import { minus, plus, setDate, sumOf, type State } from './state.ts';
import type { Entry, LogRecord, Sum, View } from './store.ts';
import type { Node, Steps, World } from './world.ts';

/** Brings a state up to the end of the log: it never passes a sequence gap, and folds each record once. */
export function* catchUp(world: World, node: Node, state: State): Steps<void> {
  const { rules } = world;
  for (;;) {
    const asked = state.rev;
    const found = yield* world.read(node, (view) => view.after(asked));
    if (found.length === 0) {
      // Another path of this process may have folded on meanwhile, and nothing was read after that yet.
      if (state.rev === asked || !rules.rereadAfterEntry) return;
      continue;
    }
    if (rules.fillGaps && (yield* fillGaps(world, node, asked, found))) continue;
    for (const record of found) yield* fold(world, node, state, record);
    const settled = found.at(-1)?.rev === state.rev && found.every((record) => record.entry === undefined);
    if (settled || !rules.rereadAfterEntry) return;
  }
}

/** Empty records into the numbers missing among those found; true if there were any: the log must be read again. */
export function* fillGaps(world: World, node: Node, rev: number, found: LogRecord[]): Steps<boolean> {
  const known = new Set(found.map((record) => record.rev));
  const gaps: number[] = [];
  for (let n = rev + 1; n < (found.at(-1)?.rev ?? 0); n++) if (!known.has(n)) gaps.push(n);
  if (gaps.length === 0) return false;
  yield* world.write(
    node,
    gaps.map((gap) => () => world.store.insert(record(`~${gap}`, gap))),
  );
  return true;
}

export const record = (id: string, rev: number): LogRecord => ({
  id,
  rev,
  original: undefined,
  now: undefined,
  editRev: 0,
  entry: undefined,
});

export function* fold(world: World, node: Node, state: State, found: LogRecord): Steps<void> {
  if (found.entry !== undefined && found.entry.kind !== 'deleteAll') {
    yield* foldEntry(world, node, state, { rev: found.rev, entry: found.entry });
  } else {
    foldAtOnce(world, state, found);
  }
}

/** Puffs, empty records and delete-alls need nothing but the state. */
export const foldAtOnce = (world: World, state: State, { rev, original, entry }: LogRecord): void => {
  const { rules } = world;
  if (rules.skipFoldedRevs && rev <= state.rev) return;
  const skipCovered = rules.monthSkipsCovered;
  if (original !== undefined) {
    const added = sumOf(original);
    setDate(state, { date: original.date, rev, skipCovered }, (old) => plus(old, added));
    state.total = plus(state.total, added);
  } else if (entry !== undefined) {
    const nothing = { quantity: 0, live: 0 };
    for (const month of state.months.values()) {
      for (const date of month.dates.keys()) setDate(state, { date, rev, skipCovered }, () => nothing);
    }
    state.total = nothing;
    state.clearedRev = rev;
  }
  state.rev = Math.max(state.rev, rev);
};

function* foldEntry(
  world: World,
  node: Node,
  state: State,
  { rev, entry }: { rev: number; entry: Entry },
): Steps<void> {
  const { rules } = world;
  if (rules.skipFoldedRevs && rev <= state.rev) return;
  const apply = (): void => {
    world.store.applyEntry(entry, rev, rules.guardEditRev);
  };
  if (rules.awaitApply) yield* world.write(node, [apply]);
  else world.send(node, [apply]);
  const dates = [...new Set([entry.before.date, entry.after.date])];
  const { clearedRev } = state;
  const sums = yield* world.read(node, (view) =>
    dates.map((date): [number, Sum] => [
      date,
      recount(view, date, {
        after: rules.recountAboveDeleteAll ? clearedRev : 0,
        upTo: rules.recountUpToRev ? rev : Infinity,
      }),
    ]),
  );
  // The same entry may have been folded by another path of this process in the meantime.
  if (rules.skipFoldedRevs && rev <= state.rev) return;
  let moved: Sum = { quantity: 0, live: 0 };
  for (const [date, sum] of sums) {
    moved = plus(
      moved,
      setDate(state, { date, rev, skipCovered: rules.monthSkipsCovered }, () => sum),
    );
  }
  if (rules.totalsFromEntry) moved = minus(sumOf(entry.after), sumOf(entry.before));
  state.total = plus(state.total, moved);
  state.rev = Math.max(state.rev, rev);
}

const recount = (view: View, date: number, { after, upTo }: { after: number; upTo: number }): Sum => {
  let sum: Sum = { quantity: 0, live: 0 };
  for (const { rev, now } of view.log.values()) {
    if (now?.date === date && rev > after && rev <= upTo) sum = plus(sum, sumOf(now));
  }
  return sum;
};
