import type { PuffSocket } from '@pufftrack/client';
import { serverEvents, type ServerEvent, type ServerEventName } from '@pufftrack/contract';
import { patienceMs } from './eventually.ts';

export interface NextOptions<Name extends ServerEventName> {
  where?: (payload: ServerEvent<Name>) => boolean;
  timeoutMs?: number;
}

/** A socket of the SDK that records every event it receives. */
export interface RecordedSocket extends PuffSocket {
  /** The first payload that no earlier `next` has returned and that `where` accepts; skipped ones stay available. */
  next<Name extends ServerEventName>(event: Name, options?: NextOptions<Name>): Promise<ServerEvent<Name>>;
  /** All payloads so far, in order, also those that `next` has returned. */
  received<Name extends ServerEventName>(event: Name): ServerEvent<Name>[];
}

interface Waiter {
  readonly event: string;
  readonly matches: (payload: unknown) => boolean;
  readonly resolve: (payload: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Records the events of a socket from now on; call it where the socket is opened, so that none is missed. */
export const recordEvents = (socket: PuffSocket): RecordedSocket => {
  const payloads = new Map<string, { payload: unknown; returned: boolean }[]>();
  const waiters = new Set<Waiter>();
  const entriesOf = (event: string) => payloads.get(event) ?? [];

  const drop = (waiter: Waiter) => {
    clearTimeout(waiter.timer);
    waiters.delete(waiter);
  };
  /** A filter that throws fails its own waiter only. */
  const accepts = (waiter: Waiter, payload: unknown): boolean => {
    try {
      return waiter.matches(payload);
    } catch (error) {
      drop(waiter);
      waiter.reject(error);
      return false;
    }
  };
  const push = (event: string, payload: unknown) => {
    const entry = { payload, returned: false };
    payloads.set(event, [...entriesOf(event), entry]);
    for (const waiter of waiters) {
      if (waiter.event !== event || !accepts(waiter, payload)) continue;
      entry.returned = true;
      drop(waiter);
      waiter.resolve(payload);
      return;
    }
  };

  for (const event of Object.keys(serverEvents) as ServerEventName[])
    socket.on(event, (payload) => {
      push(event, payload);
    });
  const close = socket.close.bind(socket);
  return Object.assign(socket, {
    received: <Name extends ServerEventName>(event: Name) =>
      entriesOf(event).map(({ payload }) => payload as ServerEvent<Name>),
    next: <Name extends ServerEventName>(
      event: Name,
      { where = () => true, timeoutMs = patienceMs }: NextOptions<Name> = {},
    ) => {
      const matches = (payload: unknown) => where(payload as ServerEvent<Name>);
      return new Promise<unknown>((resolve, reject) => {
        const entry = entriesOf(event).find(({ returned, payload }) => !returned && matches(payload));
        if (entry) {
          entry.returned = true;
          resolve(entry.payload);
          return;
        }
        const timer = setTimeout(() => {
          waiters.delete(waiter);
          const seen = entriesOf(event).length;
          reject(new Error(`no such ${event} within ${timeoutMs} ms (${seen} of that name so far)`));
        }, timeoutMs);
        const waiter: Waiter = { event, matches, resolve, reject, timer };
        waiters.add(waiter);
      }) as Promise<ServerEvent<Name>>;
    },
    close() {
      close();
      for (const waiter of waiters) {
        drop(waiter);
        waiter.reject(new Error(`the socket was closed before the next ${waiter.event}`));
      }
    },
  });
};
