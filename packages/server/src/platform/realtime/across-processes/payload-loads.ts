import { createConcurrencyLimit } from '../../concurrency/concurrency-limit.ts';

/** The payload of an event that another process refers to; undefined where there is nothing to send any more. */
export type LoadPayload = (event: string, reference: unknown) => Promise<object | undefined>;

/** Each load is a query or two; the rest of the database's connections are for calls. */
const loadsAtOnce = 16;
/** References that wait for their load. Beyond them the process is too far behind for the events to be of use. */
const maxWaiting = 10_000;

/**
 * Loads payloads, a bounded number at once. The returned function is called when an event arrives; what it returns is
 * called when that event is due, and must be called. It is undefined where too many loads are waiting.
 *
 * Events with the same reference share a load that has not started. An event that arrives later needs a load of its own:
 * it announces a change that a load under way may not see.
 */
export const createPayloadLoads = (
  load: LoadPayload,
): ((event: string, reference: unknown) => (() => Promise<object | undefined>) | undefined) => {
  const inSlot = createConcurrencyLimit(loadsAtOnce);
  const waiting = new Map<string, () => Promise<object | undefined>>();
  return (event, reference) => {
    const key = `${event} ${JSON.stringify(reference)}`;
    const known = waiting.get(key);
    if (known) return known;
    if (waiting.size >= maxWaiting) return undefined;
    let payload: Promise<object | undefined> | undefined;
    const due = () =>
      (payload ??= inSlot(() => {
        // Events of one entry of the bus arrive without a pause, and were all published before this load reads anything.
        queueMicrotask(() => waiting.delete(key));
        return load(event, reference);
      }));
    waiting.set(key, due);
    return due;
  };
};
