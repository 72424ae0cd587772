import { z } from 'zod';
import type { ServerEvent, ServerEventName } from '@pufftrack/contract';
import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Realtime } from './socket-server.ts';

/** What one process asks of the sockets of the others. */
const Message = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('emit'),
    room: z.string(),
    event: z.string(),
    payload: z.unknown(),
    exceptRoom: z.string().optional(),
    /** ms, by the clock of the sender. */
    goodUntil: z.number().optional(),
  }),
  z.object({ do: z.literal('disconnect'), room: z.string() }),
]);
type Message = z.infer<typeof Message>;

const channel = 'sockets';

/**
 * The sockets of every process: what is asked is done to those of this one at once, and to the others' by the bus. A
 * process without sockets asks the same way. Nobody waits for the others, and nothing is thrown where they are away.
 */
export const shareRealtime = (deps: {
  local: () => Realtime;
  bus: Bus;
  clock: Clock;
  log: Logger;
}): Realtime => {
  const { local, bus, clock, log } = deps;
  const tell = (message: Message) => {
    bus.publish(channel, message);
  };

  bus.on(channel, (said) => {
    const parsed = Message.safeParse(said);
    if (!parsed.success) {
      // A newer version of the program may ask for what this one cannot do; a client repairs it by `ready`.
      log.debug({ event: 'sockets.unknown_message' }, 'another process asked for something unknown');
      return;
    }
    const message = parsed.data;
    switch (message.do) {
      case 'emit': {
        const { room, event, payload, exceptRoom, goodUntil = Infinity } = message;
        // A process that was cut off reads on where it was, minutes later perhaps.
        if (clock.now() >= goodUntil) return;
        // The payload was built, and typed, by the same call in another process.
        local().emit(
          room,
          event as ServerEventName,
          () => payload as ServerEvent<ServerEventName>,
          exceptRoom === undefined ? undefined : { exceptRoom },
        );
        return;
      }
      case 'disconnect':
        local().disconnect(message.room);
    }
  });

  return {
    emit(room, event, payload, options) {
      const built = payload();
      local().emit(room, event, () => built, options);
      const { goodForMs, ...others } = options ?? {};
      const goodUntil = goodForMs === undefined ? undefined : clock.now() + goodForMs;
      tell({ do: 'emit', room, event, payload: built, ...others, goodUntil });
    },
    // Each process reads for its own sockets who belongs where.
    setMembers: (room, sources) => {
      local().setMembers(room, sources);
    },
    setRooms: (source, prefix, rooms) => {
      local().setRooms(source, prefix, rooms);
    },
    disconnect(room) {
      local().disconnect(room);
      tell({ do: 'disconnect', room });
    },
    openSessions: () => local().openSessions(),
    openPeople: () => local().openPeople(),
  };
};
