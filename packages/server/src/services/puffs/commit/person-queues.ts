import { createBatchQueue, type BatchQueue } from './batch-queue.ts';
import type { Pending, PendingPuff } from './pending.ts';

/** Pending work, in order for each person. People are spread over a few batch queues by a hash. */
export class PersonQueues {
  readonly #shards: readonly BatchQueue<Pending>[];
  /** People with work outside the batch queues; what arrives for them waits here, and does not delay other people. */
  readonly #suspended = new Map<string, Pending[]>();
  readonly #onError: (person: string, items: readonly PendingPuff[], error: unknown) => void;

  constructor(deps: {
    shards: number;
    maxGroup: number;
    commit: (group: readonly Pending[]) => Promise<void>;
    onCommitError: (group: readonly Pending[], error: unknown) => void;
    /** The work of a suspended person failed; these puffs do not return to the queue. */
    onSuspendedError: (person: string, items: readonly PendingPuff[], error: unknown) => void;
  }) {
    const { maxGroup, commit, onCommitError: onError } = deps;
    this.#shards = Array.from({ length: deps.shards }, () => createBatchQueue({ maxGroup, commit, onError }));
    this.#onError = deps.onSuspendedError;
  }

  enqueue(person: string, items: readonly Pending[]): void {
    const queue = this.#suspended.get(person);
    if (queue) for (const item of items) queue.push(item);
    else this.#shards[hash(person) % this.#shards.length]?.push(items);
  }

  isSuspended(person: string): boolean {
    return this.#suspended.has(person);
  }

  /** Suspends a person while `work` runs. Its result is enqueued, ahead of what arrived meanwhile. */
  suspend(person: string, items: readonly PendingPuff[], work: () => Promise<readonly PendingPuff[]>): void {
    this.#suspended.set(person, []);
    void work()
      .catch((error: unknown): PendingPuff[] => {
        this.#onError(person, items, error);
        return [];
      })
      .then((remaining) => {
        const arrived = this.#suspended.get(person) ?? [];
        this.#suspended.delete(person);
        if (remaining.length + arrived.length > 0) this.enqueue(person, [...remaining, ...arrived]);
      });
  }
}

/** FNV-1a. */
const hash = (value: string): number => {
  let code = 0x811c9dc5;
  for (let index = 0; index < value.length; index++)
    code = Math.imul(code ^ value.charCodeAt(index), 0x01000193);
  return code >>> 0;
};
