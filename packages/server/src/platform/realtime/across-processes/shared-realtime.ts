import { z } from 'zod';
import type { ServerEvent, ServerEventName } from '@pufftrack/contract';
import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createPayloadLoads, type LoadPayload } from './payload-loads.ts';
import type { Realtime } from '../socket-server.ts';

const SocketTarget = z.object({
  room: z.string(),
  event: z.string(),
  exceptRoom: z.string().optional(),
  /** ms, by the clock of the sender. */
  goodUntil: z.number().optional(),
});
type SocketTarget = z.infer<typeof SocketTarget>;

/** A command from one process to the sockets of the others. */
const Message = z.discriminatedUnion('do', [
  SocketTarget.extend({ do: z.literal('emit'), payload: z.unknown() }),
  /** The payload is loaded by the receiver, where it has a socket for it. */
  SocketTarget.extend({ do: z.literal('load'), reference: z.unknown() }),
  z.object({ do: z.literal('disconnect'), room: z.string() }),
]);
type Message = z.infer<typeof Message>;

const channel = 'sockets';

/**
 * The sockets of every process: a command applies to the sockets of this process at once, and to the others' over the bus.
 * It works the same in a process without sockets. It waits for no other process and never throws where one is away.
 */
export const shareRealtime = (deps: {
  local: () => Realtime;
  bus: Bus;
  load: LoadPayload;
  clock: Clock;
  log: Logger;
}): Realtime => {
  const { local, bus, clock, log } = deps;
  const loads = createPayloadLoads(deps.load);
  /** The end of what is loaded for a room; events of one room keep their order. */
  const loading = new Map<string, Promise<void>>();

  const inOrder = (room: string, work: () => Promise<void> | undefined): void => {
    const before = loading.get(room);
    const mine = before ? before.then(work) : work();
    if (!mine) return;
    const ended = mine
      .catch((error: unknown) => {
        log.debug(
          { event: 'sockets.not_loaded', err: error },
          'payload of a relayed event could not be loaded',
        );
      })
      .finally(() => {
        if (loading.get(room) === ended) loading.delete(room);
      });
    loading.set(room, ended);
  };

  const emitHere = ({ room, event, exceptRoom, goodUntil = Infinity }: SocketTarget, payload: unknown) => {
    // A process that was cut off may read an entry much later.
    if (clock.now() >= goodUntil) return;
    // The payload was built, and typed, by the same call in another process, or is loaded here.
    local().emit(
      room,
      event as ServerEventName,
      () => payload as ServerEvent<ServerEventName>,
      exceptRoom === undefined ? undefined : { exceptRoom },
    );
  };

  const loadAndEmit = (message: Extract<Message, { do: 'load' }>) => {
    // A socket that joins later reads the present state itself.
    if (!local().hasMembers(message.room, message.exceptRoom)) return;
    const load = loads(message.event, message.reference);
    if (!load) {
      log.warn({ event: 'sockets.loads_dropped' }, 'relayed event dropped: too many payload loads pending');
      return;
    }
    inOrder(message.room, () =>
      load().then((payload) => {
        if (payload) emitHere(message, payload);
      }),
    );
  };

  const publish = (message: Message) => {
    bus.publish(channel, message);
  };

  bus.on(channel, (message) => {
    const parsed = Message.safeParse(message);
    if (!parsed.success) {
      // A newer version of the program may send commands that this one does not know; `ready` repairs the client's state.
      log.debug({ event: 'sockets.unknown_message' }, 'unknown relay command ignored');
      return;
    }
    const command = parsed.data;
    switch (command.do) {
      case 'emit':
        inOrder(command.room, () => {
          emitHere(command, command.payload);
          return undefined;
        });
        return;
      case 'load':
        loadAndEmit(command);
        return;
      case 'disconnect':
        local().disconnect(command.room);
    }
  });

  return {
    emit(room, event, payload, options) {
      const { goodForMs, reference, ...others } = options ?? {};
      const goodUntil = goodForMs === undefined ? undefined : clock.now() + goodForMs;
      if (reference !== undefined) {
        local().emit(room, event, payload, options);
        publish({ do: 'load', room, event, reference, ...others, goodUntil });
        return;
      }
      const built = payload();
      local().emit(room, event, () => built, options);
      publish({ do: 'emit', room, event, payload: built, ...others, goodUntil });
    },
    hasMembers: (room, exceptRoom) => local().hasMembers(room, exceptRoom),
    // Each process reads for its own sockets who belongs where.
    setMembers: (room, sources) => {
      local().setMembers(room, sources);
    },
    setRooms: (source, prefix, rooms) => {
      local().setRooms(source, prefix, rooms);
    },
    disconnect(room) {
      local().disconnect(room);
      publish({ do: 'disconnect', room });
    },
    openSessions: () => local().openSessions(),
    connectedUsers: () => local().connectedUsers(),
  };
};
