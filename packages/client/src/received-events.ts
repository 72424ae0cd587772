import type { ServerEvent, ServerEventName } from '@pufftrack/contract';
import { networkError, type ApiError } from './api-error.ts';

/** Per event; far above what a session sees, and an end to what an open tab can fill. */
const keptPerEvent = 10_000;

interface Waiter {
  readonly event: string;
  readonly matches: (payload: unknown) => boolean;
  readonly resolve: (payload: unknown) => void;
  readonly reject: (error: ApiError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export interface NextOptions<Name extends ServerEventName> {
  where?: (payload: ServerEvent<Name>) => boolean;
  timeoutMs?: number;
}

/** Everything that a socket received. `next` hands each payload out once; `list` shows all of them. */
export class ReceivedEvents {
  readonly #payloads = new Map<string, { payload: unknown; taken: boolean }[]>();
  readonly #waiters = new Set<Waiter>();

  push(event: string, payload: unknown): void {
    const entry = { payload, taken: false };
    const entries = this.#payloads.get(event) ?? [];
    this.#payloads.set(event, entries);
    entries.push(entry);
    if (entries.length > keptPerEvent) entries.shift();
    for (const waiter of this.#waiters) {
      if (waiter.event !== event || !this.#accepts(waiter, payload)) continue;
      entry.taken = true;
      this.#drop(waiter);
      waiter.resolve(payload);
      return;
    }
  }

  list<Name extends ServerEventName>(event: Name): ServerEvent<Name>[] {
    return (this.#payloads.get(event) ?? []).map(({ payload }) => payload as ServerEvent<Name>);
  }

  /** The first payload that no earlier `next` took and that `where` accepts; those passed over stay. */
  next<Name extends ServerEventName>(
    event: Name,
    { where = () => true, timeoutMs = 30_000 }: NextOptions<Name> = {},
  ): Promise<ServerEvent<Name>> {
    const matches = (payload: unknown) => where(payload as ServerEvent<Name>);
    return new Promise<unknown>((resolve, reject) => {
      const entry = this.#payloads.get(event)?.find(({ taken, payload }) => !taken && matches(payload));
      if (entry) {
        entry.taken = true;
        resolve(entry.payload);
        return;
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const seen = this.list(event).length;
        reject(networkError(`No such ${event} within ${timeoutMs} ms (${seen} of that name so far)`));
      }, timeoutMs);
      const waiter: Waiter = { event, matches, resolve, reject, timer };
      this.#waiters.add(waiter);
    }) as Promise<ServerEvent<Name>>;
  }

  /** Nothing more will come. */
  end(error: ApiError): void {
    for (const waiter of this.#waiters) {
      this.#drop(waiter);
      waiter.reject(error);
    }
  }

  /** A filter that throws fails its own waiter alone. */
  #accepts(waiter: Waiter, payload: unknown): boolean {
    try {
      return waiter.matches(payload);
    } catch (error) {
      this.#drop(waiter);
      waiter.reject(networkError('The filter of next() failed', error));
      return false;
    }
  }

  #drop(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
  }
}
