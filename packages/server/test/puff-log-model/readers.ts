import { currentState } from './checkpoints.ts';
import { catchUp, fillGaps } from './fold.ts';
import type { LogRecord } from './store.ts';
import type { Node, Steps, World } from './world.ts';

/** A read of the state: right at its rev, and not older than what was acknowledged before it began. */
export function* readState(world: World, node: Node): Steps<void> {
  const acknowledged = Math.max(0, ...world.answers.values());
  const state = yield* currentState(world, node);
  yield* catchUp(world, node, state);
  world.checkState(state, `a read at process ${node.name}`);
  // After a change of the primary a process is only promised what it has itself seen.
  if (world.failovers === 0) world.checkFresh(state.rev, acknowledged);
}

/** A read of the records: every entry that the log had before it began is in them. */
export function* listRecords(world: World, node: Node): Steps<void> {
  const settled = world.settledRev;
  if (world.rules.foldBeforeList) {
    const state = yield* currentState(world, node);
    yield* catchUp(world, node, state);
  }
  const records = yield* world.read(node, (view) => new Map(view.log));
  if (world.failovers === 0) world.checkListed(records, settled);
}

/** A phone that follows `changes?since=`: it receives each number once, in order. */
export function* readChanges(world: World, node: Node, phone: { since: number; ids: string[] }): Steps<void> {
  const since = phone.since;
  const found = yield* changesAfter(world, node, since);
  if (phone.since !== since) return;
  phone.ids.push(...found.map((each) => each.id));
  phone.since = found.at(-1)?.rev ?? since;
}

function* changesAfter(world: World, node: Node, since: number): Steps<LogRecord[]> {
  for (;;) {
    const found = yield* world.read(node, (view) => view.after(since));
    if (!world.rules.fillGaps || !(yield* fillGaps(world, node, since, found))) return found;
  }
}
