import { Random } from './random.ts';
import type { Rules } from './rules.ts';
import { showRecount, showState, valuesAt, type State } from './state.ts';
import { Store, type EntryKind, type LogRecord, type Values, type View } from './store.ts';

/** Code of a process: each `yield` is a point where others may step in, or where it may die. */
export type Steps<T> = Generator<(() => boolean) | undefined, T, undefined>;

/** The check failed: the protocol (or what is left of it) is wrong. */
export class Violation extends Error {}

/** No answer came; the write may have happened, may happen later, or never. */
export class UnknownOutcome extends Error {}

export interface Op {
  id: string;
  kind: 'puff' | EntryKind;
  values: Values;
  target: string;
}

export interface Ask {
  op: Op;
  /** Which of the client's attempts; only tells retries apart where operation ids are left out. */
  attempt: number;
  answered: boolean;
  /** The process that has it in hand. */
  node: Node;
}

interface Thread {
  steps: Steps<void>;
  ready: (() => boolean) | undefined;
  /** Steps seldom, so that much happens between two of its steps. */
  slow: boolean;
}

/** One process of the program: all of it but `name` is lost when it dies. */
export interface Node {
  name: number;
  state: State | undefined;
  queue: Ask[];
  threads: Thread[];
  /** How much of the database's history it has seen. */
  seen: number;
}

/** A command at the server: it goes on when its process is dead or no longer waits. */
interface Task {
  node: Node;
  steps: (() => void)[];
  /** The server answers once a majority holds everything up to here. */
  answersAt: number | undefined;
  lost: boolean;
}

/** Everything outside the processes: the database, the commands under way, and what clients received. */
export class World {
  readonly random: Random;
  readonly rules: Rules;
  readonly store = new Store();
  readonly tasks: Task[] = [];
  /** Commands whose work is done and whose reply is under way. */
  answering: Task[] = [];
  readonly answers = new Map<string, number>();
  readonly trace: string[] = [];
  failovers = 0;
  /** What is right all the same, but was work in vain. */
  readonly costs = {
    /** Loads that found a named month missing or too old. */
    rebuilds: 0,
    /** Groups that ran into a taken number or a known id. */
    clashes: 0,
    /** Person rows written over newer ones. */
    setBacks: 0,
  };

  constructor(seed: number, rules: Rules) {
    this.random = new Random(seed);
    this.rules = rules;
  }

  /** Runs the steps at the server one at a time, in any order; throws UnknownOutcome where the reply is lost. */
  *write<T>(node: Node, steps: (() => T)[], majority = this.rules.waitForMajority): Steps<T[]> {
    const results: T[] = [];
    const task = this.send(
      node,
      steps.map((step, i) => () => {
        results[i] = step();
      }),
    );
    const done = (): boolean =>
      task.answersAt !== undefined && (!majority || this.store.durable >= task.answersAt);
    yield () => task.lost || done();
    if (task.lost) throw new UnknownOutcome();
    node.seen = Math.max(node.seen, Math.min(task.answersAt ?? 0, this.store.durable));
    return results;
  }

  send(node: Node, steps: (() => void)[]): Task {
    const task: Task = { node, steps, answersAt: undefined, lost: false };
    this.tasks.push(task);
    return task;
  }

  stepTask(task: Task): void {
    if (task.steps.length > 0) this.random.take(task.steps)();
    if (task.steps.length > 0) return;
    task.answersAt = this.store.length;
    this.tasks.splice(this.tasks.indexOf(task), 1);
    this.answering = this.answering.filter(({ answersAt = 0 }) => answersAt > this.store.durable);
    this.answering.push(task);
  }

  /** Reads one moment; the answer arrives a while later. */
  *read<T>(node: Node, look: (view: View) => T): Steps<T> {
    yield undefined;
    let seen: T;
    if (this.rules.majorityReads) {
      const { view, length } = this.store.majority(this.rules.causalReads ? node.seen : 0);
      node.seen = Math.max(node.seen, length);
      seen = look(view);
    } else {
      seen = look(this.store.applied);
    }
    yield undefined;
    return seen;
  }

  failover(): void {
    this.failovers++;
    this.store.failover(this.random);
    for (const task of [...this.tasks, ...this.answering]) task.lost = true;
    this.answering = [];
    // The driver may send a command again to the new primary, or give up.
    for (let i = this.tasks.length - 1; i >= 0; i--) if (this.random.chance(0.5)) this.tasks.splice(i, 1);
  }

  acknowledge(ask: Ask, rev: number): void {
    ask.answered = true;
    const before = this.answers.get(ask.op.id);
    if (before !== undefined && before !== 0 && before !== rev) {
      throw new Violation(`${ask.op.id} was acknowledged with rev ${before}, then with ${rev}`);
    }
    this.answers.set(ask.op.id, rev);
  }

  /** A final answer without a number: nothing to undo, the target is deleted. */
  refuse(ask: Ask): void {
    ask.answered = true;
    this.answers.set(ask.op.id, this.answers.get(ask.op.id) ?? 0);
  }

  checkFresh(rev: number, acknowledged: number): void {
    if (rev < acknowledged)
      throw new Violation(`a read at ${rev} does not know the acknowledged ${acknowledged}`);
  }

  /** The end of the log as a majority holds it, as far as it has no gap. */
  get settledRev(): number {
    const { view } = this.store.majority(Infinity);
    let rev = 0;
    while (view.idOf.has(rev + 1)) rev++;
    return rev;
  }

  checkListed(records: ReadonlyMap<string, LogRecord>, settled: number): void {
    for (const { rev, entry } of records.values()) {
      const target = entry === undefined || rev > settled ? undefined : records.get(entry.target);
      if (target !== undefined && target.editRev < rev) {
        throw new Violation(`a list shows ${target.id} without the entry at ${rev}`);
      }
    }
  }

  /** A state that a client sees: equal to a recount of the log up to its rev. */
  checkState(state: State, where: string): void {
    const log = this.store.applied;
    for (let n = 1; n <= state.rev; n++) {
      if (!log.idOf.has(n))
        throw new Violation(`${where}: the state is at ${state.rev}, the log has a gap at ${n}`);
    }
    const [is, should] = [showState(state), showRecount(log, state.rev)];
    if (is !== should) throw new Violation(`${where}: ${is}; recount ${should}`);
  }

  checkAnswers(): void {
    for (const [id, rev] of this.answers) {
      if (rev === 0) continue;
      const record = this.store.applied.log.get(id);
      if (record?.rev !== rev) {
        throw new Violation(
          `${id} was acknowledged with rev ${rev}, the log has ${record?.rev ?? 'nothing'}`,
        );
      }
    }
  }

  /** Each entry says what was true at its place in the log, and every record ends as its entries say. */
  checkEntries(): void {
    const { applied } = this.store;
    const undone = new Set<string>();
    const { all } = valuesAt(applied, applied.head, (record, visible) => {
      if (record.entry === undefined) return;
      const operation = record.id.replace(/#.*/, '');
      if (undone.has(operation)) throw new Violation(`${operation} is in the log twice`);
      undone.add(operation);
      this.checkEntry(record, visible);
    });
    for (const [id, values] of all) {
      const now = applied.log.get(id)?.now;
      if (JSON.stringify(now) !== JSON.stringify(values)) {
        throw new Violation(`${id} is ${JSON.stringify(now)}, its entries say ${JSON.stringify(values)}`);
      }
    }
  }

  private checkEntry({ id, rev, entry }: LogRecord, visible: ReadonlyMap<string, Values>): void {
    if (entry === undefined || entry.kind === 'deleteAll') return;
    const values = visible.get(entry.target);
    const newest = [...visible].filter(([, { deleted }]) => !deleted).at(-1)?.[0];
    const allowed = values !== undefined && values.deleted === (entry.kind === 'restore');
    if (
      !allowed ||
      JSON.stringify(values) !== JSON.stringify(entry.before) ||
      (entry.kind === 'undo' && newest !== entry.target)
    ) {
      throw new Violation(`${id} at ${rev} was made without knowing all before it`);
    }
  }
}
