import { dropRows, flush, load } from './checkpoints.ts';
import { listRecords, readChanges, readState } from './readers.ts';
import type { Random } from './random.ts';
import { allRules, type Rules } from './rules.ts';
import { dateCount } from './state.ts';
import { UnknownOutcome, Violation, World, type Ask, type Node, type Op, type Steps } from './world.ts';
import { groupWriter } from './writer.ts';

/** One random interleaving of several processes, their clients, and everything that can go wrong. */

export interface Scenario {
  rules?: Partial<Rules>;
  /** The primary changes now and then, losing what no majority held. */
  failovers?: boolean;
  /** A person's checkpoint rows are dropped at random times. */
  drops?: boolean;
  /** Every step is printed into the outcome's trace. */
  traced?: boolean;
}

export interface Outcome {
  seed: number;
  steps: number;
  records: number;
  empty: number;
  failure: string | undefined;
  costs: World['costs'];
  trace: string[];
}

const calmStepLimit = 20_000;

export const run = (seed: number, scenario: Scenario = {}): Outcome => {
  const simulation = new Simulation(seed, scenario);
  let failure: string | undefined;
  try {
    simulation.storm();
    simulation.calm();
    simulation.checkAtRest();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    failure = error.message;
  }
  const { log } = simulation.world.store.applied;
  const empty = [...log.keys()].filter((id) => id.startsWith('~')).length;
  const { steps, world } = simulation;
  return { seed, steps, records: log.size, empty, failure, costs: world.costs, trace: world.trace };
};

/** How often what happens: drawn for each run, so that some runs are all flushes and others all edits. */
const mixOf = (random: Random, { failovers = true, drops = true }: Scenario) => ({
  burst: 0.02 + 0.08 * random.next(),
  trouble: random.chance(0.3) ? 0 : 0.1 * random.next(),
  activity: 0.03 + 0.15 * random.next(),
  slow: 0.5 * random.next(),
  /** The chance that a command at the server goes on when it could: where it is low, many see a group half written. */
  server: random.chance(0.4) ? 0.02 + 0.2 * random.next() : 1,
  targets: 1 + random.below(4),
  puffs: 0.3 + 0.7 * random.next(),
  troubles: {
    'lost reply': 0.5 + random.next(),
    crash: random.next(),
    eviction: random.next(),
    failover: failovers ? 0.5 * random.next() : 0,
  },
  activities: random.chance(0.3)
    ? { read: 0, list: 0, changes: 0, flush: 1, drop: drops ? 0.3 : 0 }
    : {
        read: 0.1 + random.next(),
        list: 0.5 * random.next(),
        changes: 0.3 * random.next(),
        flush: 0.1 + 2 * random.next(),
        drop: drops ? 0.5 * random.next() : 0,
      },
});

type Mix = ReturnType<typeof mixOf>;

class Simulation {
  readonly world: World;
  steps = 0;
  private readonly nodes: Node[];
  private readonly ops: Op[];
  private readonly asks: Ask[] = [];
  private readonly phone = { since: 0, ids: [] as string[] };
  private readonly mix: Mix;

  constructor(seed: number, scenario: Scenario) {
    this.world = new World(seed, { ...allRules, ...scenario.rules });
    if (scenario.traced === true) this.world.store.note = (what) => this.world.trace.push(what);
    const { random } = this.world;
    this.mix = mixOf(random, scenario);
    this.nodes = Array.from({ length: 2 + random.below(3) }, (_, name) => this.start(name));
    this.ops = Array.from({ length: 5 + random.below(10) }, (_, i) => this.plan(i));
  }

  /** Clients, crashes, lost replies, changes of the primary, readers and flushes, all at once. */
  storm(): void {
    const { mix } = this;
    const { random } = this.world;
    const length = 150 + random.below(350);
    for (let i = 0; i < length; i++) {
      const dice = random.next();
      if (dice < mix.burst) this.burst();
      else if (dice < mix.burst + mix.trouble) this.disturb();
      else if (dice < mix.burst + mix.trouble + mix.activity) this.begin();
      else this.step();
    }
  }

  /** No more disturbances: everybody must be answered within a bounded number of steps. */
  calm(): void {
    const { answers } = this.world;
    for (let i = 0; ; i++) {
      const unanswered = this.ops.filter(({ id }) => !answers.has(id));
      for (const op of unanswered) if (!this.isAsked(op)) this.ask(op);
      if (!this.step() && unanswered.length === 0) return;
      if (i > calmStepLimit) throw new Violation('stuck');
    }
  }

  checkAtRest(): void {
    const { world } = this;
    const { applied } = world.store;
    world.checkAnswers();
    this.readEverywhere();
    for (let n = 1; n <= applied.head; n++) {
      if (!applied.idOf.has(n)) throw new Violation(`after all reads the log has a gap at ${n}`);
    }
    world.checkEntries();
    // The rows as the storm left them, then as each process leaves them when it shuts down.
    this.checkLoad('a load');
    for (const node of this.nodes) {
      this.finish(node, flush(world, node));
      this.checkLoad(`a load after the flush of process ${node.name}`);
    }
    const [node] = this.nodes;
    if (node !== undefined) this.finish(node, readChanges(world, node, this.phone));
    const inOrder = applied.after(0).map(({ id }) => id);
    if (this.phone.ids.join() !== inOrder.join())
      throw new Violation('a client did not receive every change');
    world.checkAnswers();
  }

  private readEverywhere(): void {
    const { world } = this;
    for (const node of this.nodes) {
      this.finish(node, readState(world, node));
      if (node.state?.rev !== world.store.applied.head) throw new Violation('a read did not reach the head');
    }
  }

  private checkLoad(where: string): void {
    const { world } = this;
    const node = this.start(99);
    node.threads.length = 0;
    let rev: number | undefined;
    const loading = function* (): Steps<void> {
      const state = yield* load(world, node);
      world.checkState(state, where);
      rev = state.rev;
    };
    this.finish(node, loading());
    if (rev !== world.store.applied.head) throw new Violation(`${where} did not reach the head`);
  }

  /** Runs one thing to its end with nothing else in between but the server. */
  private finish(node: Node, steps: Steps<void>): void {
    const others = this.nodes.map((each) => each.threads.splice(0));
    if (!this.nodes.includes(node)) this.nodes.push(node);
    this.spawn(node, steps);
    for (let i = 0; this.step(); i++) if (i > calmStepLimit) throw new Violation('stuck');
    if (node.name === 99) this.nodes.pop();
    for (const [i, threads] of others.entries()) this.nodes[i]?.threads.push(...threads);
  }

  private plan(i: number): Op {
    const { random } = this.world;
    const values = { date: random.below(dateCount), quantity: 1 + random.below(3), deleted: false };
    const target = `p${random.below(this.mix.targets)}`;
    const others = ['edit', 'edit', 'edit', 'delete', 'restore', 'undo', 'undo', 'deleteAll'] as const;
    if (i < this.mix.targets || random.chance(this.mix.puffs))
      return { id: `p${i}`, kind: 'puff', values, target };
    return { id: `e${i}`, kind: random.pick(others), values, target };
  }

  private start(name: number): Node {
    const node: Node = { name, state: undefined, queue: [], threads: [], seen: 0 };
    this.spawn(node, groupWriter(this.world, node));
    return node;
  }

  private spawn(node: Node, steps: Steps<void>): void {
    node.threads.push({ steps, ready: undefined, slow: this.world.random.chance(this.mix.slow) });
  }

  /** The same op may be at several processes at once, twice in one group, and is sent again after its answer. */
  private ask(op: Op, node = this.world.random.pick(this.nodes)): void {
    const { random } = this.world;
    for (let copies = random.chance(0.1) ? 2 : 1; copies > 0; copies--) {
      const ask = { op, attempt: this.asks.length, answered: false, node };
      this.asks.push(ask);
      node.queue.push(ask);
      this.note(`client sends ${op.id} (${op.kind}) to ${node.name}`);
    }
  }

  /** A client sends several ops in one request: they go in one group. */
  private burst(): void {
    const { random } = this.world;
    const node = random.pick(this.nodes);
    const first = random.below(this.ops.length);
    for (const op of this.ops.slice(first, first + 1 + random.below(4))) this.ask(op, node);
  }

  private isAsked(op: Op): boolean {
    return this.asks.some((ask) => ask.op === op && !ask.answered);
  }

  private disturb(): void {
    const { random, tasks, answering } = this.world;
    const what = this.choose(this.mix.troubles);
    if (what === 'lost reply') {
      const waiting = [...tasks, ...answering];
      if (waiting.length === 0) return;
      random.pick(waiting).lost = true;
    } else if (what === 'crash') {
      this.crash(random.below(this.nodes.length));
    } else if (what === 'eviction') {
      random.pick(this.nodes).state = undefined;
    } else {
      this.world.failover();
    }
    this.note(what);
  }

  private crash(index: number): void {
    const { random, tasks } = this.world;
    const node = this.nodes[index];
    if (node === undefined) return;
    this.note(`process ${node.name} dies`);
    for (const ask of this.asks) if (ask.node === node) ask.answered = true;
    // Commands that had reached the server go on, or not.
    const gone = tasks.filter((task) => task.node === node && random.chance(0.3));
    for (const task of gone) tasks.splice(tasks.indexOf(task), 1);
    this.nodes[index] = this.start(node.name);
  }

  /** Starts a reader, a flush or a drop at some process. */
  private begin(): void {
    const { random } = this.world;
    const { world } = this;
    const node = random.pick(this.nodes);
    if (node.threads.length > 4) return;
    const what = this.choose(this.mix.activities);
    this.note(`${what} at process ${node.name}`);
    if (what === 'read') this.spawn(node, readState(world, node));
    else if (what === 'list') this.spawn(node, listRecords(world, node));
    else if (what === 'changes') this.spawn(node, readChanges(world, node, this.phone));
    else if (what === 'flush') this.spawn(node, flush(world, node));
    else this.spawn(node, dropRows(world, node));
  }

  private choose<T extends string>(weights: Record<T, number>): T {
    const names = Object.keys(weights) as T[];
    let dice = this.world.random.next() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) if ((dice -= weights[name]) < 0) return name;
    throw new Error('no weights');
  }

  /** One step of a random participant; false if none can step. */
  private step(): boolean {
    this.steps++;
    const { random, store, tasks } = this.world;
    const ready: { node: Node; thread: Node['threads'][number] }[] = [];
    for (const node of this.nodes)
      for (const thread of node.threads) if (thread.ready?.() !== false) ready.push({ node, thread });
    const canCommit = store.isBehind;
    const choices = ready.length + tasks.length + (canCommit ? 1 : 0);
    if (choices === 0) return false;
    const choice = random.below(choices);
    const chosen = ready[choice];
    const task = tasks[choice - ready.length];
    if (chosen !== undefined) {
      if (!chosen.thread.slow || random.chance(0.1)) this.resume(chosen.node, chosen.thread);
    } else if (task !== undefined) this.stepTask(task);
    else store.commit(1 + random.below(4));
    return true;
  }

  /** Commands whose caller has given up tend to arrive late. */
  private stepTask(task: World['tasks'][number]): void {
    const { random } = this.world;
    if (random.chance(task.lost ? 0.1 : this.mix.server)) this.world.stepTask(task);
  }

  private resume(node: Node, thread: Node['threads'][number]): void {
    try {
      const { done, value } = thread.steps.next();
      thread.ready = value ?? undefined;
      if (done !== true) return;
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
    }
    node.threads.splice(node.threads.indexOf(thread), 1);
  }

  private note(what: string): void {
    this.world.store.note?.(what);
  }
}
