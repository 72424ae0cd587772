import { currentState } from './checkpoints.ts';
import { catchUp, foldAtOnce, record } from './fold.ts';
import type { State } from './state.ts';
import type { Entry, LogRecord, Values, View } from './store.ts';
import { UnknownOutcome, type Ask, type Node, type Steps, type World } from './world.ts';

const groupSize = 4;
const entryAttempts = 8;

/** The writer of a process: one write in flight; puffs go in groups, entries alone. */
export function* groupWriter(world: World, node: Node): Steps<void> {
  for (;;) {
    yield () => node.queue.length > 0;
    const [first] = node.queue;
    if (first === undefined) continue;
    const others = node.queue.findIndex((ask) => ask.op.kind !== 'puff');
    const size = first.op.kind === 'puff' ? Math.min(groupSize, others < 0 ? groupSize : others) : 1;
    const group = node.queue.splice(0, size);
    try {
      const state = yield* currentState(world, node);
      if (first.op.kind === 'puff') yield* writeGroup(world, node, state, group);
      else yield* writeEntry(world, node, state, first);
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
      if (world.rules.dropStateOnUnknown) node.state = undefined;
    }
    // A request without an answer now gets a 503, and its client retries.
    for (const ask of group) ask.answered = true;
  }
}

const puff = (ask: Ask, rev: number): LogRecord => ({
  ...record(ask.op.id, rev),
  original: ask.op.values,
  now: ask.op.values,
});

const insertAll = (world: World, records: LogRecord[]) =>
  records.map((each) => () => world.store.insert(each));

function* writeGroup(world: World, node: Node, state: State, group: Ask[]): Steps<void> {
  const { rules } = world;
  let open = group;
  if (open.length > 1 && rules.queryExistingIds) open = yield* answerKnown(world, node, open);
  while (open.length > 0) {
    const base = state.rev;
    const chosen = rules.dedupeInGroup ? [...new Map(open.map((ask) => [ask.op.id, ask])).values()] : open;
    const records = chosen.map((ask, i) => puff(ask, base + 1 + i));
    const results = yield* insertPuffs(world, node, records);
    if (results.every((result) => result === 'in')) {
      for (const each of records) foldAtOnce(world, state, each);
      // Another path of this process may be half way through later entries.
      if (state.rev === base + records.length) world.checkState(state, 'the answer to a puff');
    } else {
      world.costs.clashes++;
      // Fills the gaps below the highest number that went in, and folds what others wrote.
      yield* catchUp(world, node, state);
    }
    const revs = new Map(records.filter((_, i) => results[i] === 'in').map(({ id, rev }) => [id, rev]));
    for (const ask of open) {
      const rev = revs.get(ask.op.id);
      if (rev !== undefined) world.acknowledge(ask, rev);
    }
    open = open.filter((ask) => !ask.answered);
    if (open.length > 0) open = yield* answerKnown(world, node, open);
  }
}

function* insertPuffs(world: World, node: Node, records: LogRecord[]): Steps<string[]> {
  try {
    return yield* world.write(node, insertAll(world, records));
  } catch (error) {
    if (world.rules.unknownIsNotSuccess || !(error instanceof UnknownOutcome)) throw error;
    return records.map(() => 'in');
  }
}

/** Answers `duplicate` to those that the log has; the others remain. */
function* answerKnown(world: World, node: Node, asks: Ask[]): Steps<Ask[]> {
  const revs = yield* world.read(node, (view) => asks.map((ask) => view.log.get(ask.op.id)?.rev));
  return asks.filter((ask, i) => {
    const rev = revs[i];
    if (rev !== undefined) world.acknowledge(ask, rev);
    return rev === undefined;
  });
}

function* writeEntry(world: World, node: Node, state: State, ask: Ask): Steps<void> {
  const { rules } = world;
  const id = rules.operationIds ? ask.op.id : `${ask.op.id}#${ask.attempt}`;
  let entry: Entry | undefined;
  for (let attempt = 0; attempt < entryAttempts; attempt++) {
    yield* catchUp(world, node, state);
    // Taken before the target is read: the entry knows the log up to here, and takes the next number or none.
    const { rev, clearedRev } = state;
    const known = yield* world.read(node, (view) => ({
      own: view.log.get(id)?.rev,
      entry: computeEntry(ask, view, { above: clearedRev, upTo: rules.targetWithinFold ? rev : Infinity }),
    }));
    if (known.own !== undefined) {
      world.acknowledge(ask, known.own);
      return;
    }
    if (rules.recomputeEntry || entry === undefined) entry = known.entry;
    if (entry === undefined) {
      // Refused (nothing to undo, target is deleted): a final answer without a number.
      ask.answered = true;
      world.refuse(ask);
      return;
    }
    const made = { ...record(id, rev + 1), entry };
    const [result] = yield* world.write(node, insertAll(world, [made]));
    if (result !== 'in') continue;
    yield* catchUp(world, node, state);
    if (rules.operationIds) world.acknowledge(ask, rev + 1);
    else world.refuse(ask);
    return;
  }
}

const computeEntry = ({ op }: Ask, view: View, range: { above: number; upTo: number }): Entry | undefined => {
  const { kind } = op;
  if (kind === 'puff') return undefined;
  if (kind === 'deleteAll') return { kind, target: '', before: op.values, after: op.values };
  const visible = view.after(range.above).filter((each) => each.now !== undefined && each.rev <= range.upTo);
  const found =
    kind === 'undo'
      ? visible.filter((each) => each.now?.deleted === false).at(-1)
      : visible.find((each) => each.id === op.target);
  const before = found?.now;
  if (found === undefined || before?.deleted !== (kind === 'restore')) return undefined;
  const after: Values =
    kind === 'edit' ? op.values : { ...before, deleted: kind === 'delete' || kind === 'undo' };
  return { kind, target: found.id, before, after };
};
