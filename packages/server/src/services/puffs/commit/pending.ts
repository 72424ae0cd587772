import type { NewPuff, RecordedPuff } from '../domain/puff.ts';
import type { PuffState } from '../state/puff-state.ts';
import { refusalOf } from './commit-errors.ts';

/** The result of one puff. */
export type Outcome =
  | { readonly status: 'created'; readonly puff: RecordedPuff }
  | { readonly status: 'duplicate' }
  | { readonly status: 'day-full' };

export interface AppendResult {
  /** In the order of the puffs. */
  readonly outcomes: readonly Outcome[];
  /** The person's state; it counts every puff that was created here. */
  readonly state: PuffState;
}

/** A call of `append`; it resolves once all its puffs have an outcome. */
export interface AppendRequest {
  readonly size: number;
  readonly outcomes: Outcome[];
  open: number;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
}

/** One puff of a request, waiting for its outcome. */
export interface PendingPuff {
  readonly person: string;
  readonly puff: NewPuff;
  readonly dayStartHour: number;
  readonly request: AppendRequest;
  readonly position: number;
  /** A query has shown that the log does not hold this id. */
  checked: boolean;
  /** How often its number was lost to another process. */
  attempts: number;
  /** It has its outcome or its error, and is counted no more. */
  finished: boolean;
}

/** Work during which no puff of this person is under way in this process. */
export interface ExclusiveTask {
  readonly person: string;
  /** Never rejects. */
  readonly run: () => Promise<void>;
  readonly reject: (error: unknown) => void;
  finished: boolean;
}

export type Pending = PendingPuff | ExclusiveTask;

export const isTask = (pending: Pending): pending is ExclusiveTask => 'run' in pending;
export const isPuff = (pending: Pending): pending is PendingPuff => !('run' in pending);

/**
 * Counts what is queued or under way. Each puff and task leaves the count once, with its first outcome or error,
 * however many code paths report one.
 */
export class PendingCount {
  #count = 0;
  readonly #whenIdle: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  add(count: number): void {
    this.#count += count;
  }

  /** Resolves when nothing is counted. */
  idle(): Promise<void> {
    return this.#count === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#whenIdle.push(resolve);
        });
  }

  complete(item: PendingPuff, outcome: Outcome, state: PuffState): void {
    if (item.finished) return;
    const { request } = item;
    request.outcomes[item.position] = outcome;
    request.open -= 1;
    if (request.open === 0) request.resolve({ outcomes: request.outcomes, state });
    this.#finish(item);
  }

  completeTask(task: ExclusiveTask): void {
    if (!task.finished) this.#finish(task);
  }

  fail(items: readonly Pending[], error: unknown): void {
    for (const item of items) {
      if (item.finished) continue;
      if (isTask(item)) item.reject(refusalOf(error));
      else item.request.reject(refusalOf(error));
      this.#finish(item);
    }
  }

  #finish(item: Pending): void {
    item.finished = true;
    this.#count -= 1;
    if (this.#count === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
