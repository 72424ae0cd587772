import type { Server as HttpServer } from 'node:http';
import type {
  ClientToServerEvents,
  ServerEvent,
  ServerEventName,
  ServerToClientEvents,
} from '@pufftrack/contract';
import { Server, type Socket } from 'socket.io';
import type { Clock } from '../clock.ts';
import { DomainError } from '../errors.ts';
import { refuseForbiddenKeys } from '../http/body.ts';
import { problemOf, toDomainError } from '../http/problem.ts';
import type { Actor, Authenticate } from '../http/route.ts';
import { newUuid } from '../ids.ts';
import type { Phase } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { SocketEvent } from './socket-event.ts';

interface SocketData {
  actor: Actor;
}
type AppSocket = Socket<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>;

/** Sending to sockets by room, and moving them between rooms. Nobody outside platform/realtime sees a socket. */
export interface Realtime {
  /** Sends to every socket of a room; nothing is built where nobody listens. */
  emit<Name extends ServerEventName>(
    room: string,
    event: Name,
    payload: () => ServerEvent<Name>,
    options?: { exceptRoom?: string },
  ): void;
  /** Every socket in `room` also joins, or leaves, `other`. */
  join(room: string, other: string): void;
  leave(room: string, other: string): void;
  disconnect(room: string): void;
}

/** For a process that holds no sockets. */
export const noSockets: Realtime = {
  emit: () => undefined,
  join: () => undefined,
  leave: () => undefined,
  disconnect: () => undefined,
};

export interface RealtimeServer extends Realtime {
  /** Tells every socket to come back elsewhere, closes them in jittered batches, and stops. */
  close(reconnectAfterMs: number): Promise<void>;
}

const frameLimitBytes = 64 * 1024;

export const userRoom = (userId: string) => `user:${userId}`;
export const sessionRoom = (sessionId: string) => `session:${sessionId}`;

export const createRealtime = (deps: {
  server: HttpServer;
  authenticate: Authenticate;
  clock: Clock;
  log: Logger;
  phase: () => Phase;
  events: readonly SocketEvent[];
  /** Joins the rooms of a person's sockets and says hello. */
  onConnect: (connection: {
    actor: Actor;
    join: (rooms: string[]) => void;
    leave: (room: string) => void;
    emit: <Name extends ServerEventName>(event: Name, payload: ServerEvent<Name>) => void;
  }) => Promise<void>;
}): RealtimeServer => {
  const { clock, log } = deps;
  const io = new Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>(
    deps.server,
    {
      path: '/socket.io',
      transports: ['websocket'],
      serveClient: false,
      allowEIO3: false,
      perMessageDeflate: false,
      maxHttpBufferSize: frameLimitBytes,
      connectTimeout: 5_000,
    },
  );

  io.use((socket, next) => {
    admit(socket, deps).then(
      () => {
        next();
      },
      (thrown: unknown) => {
        const error = toDomainError(thrown);
        if (error.code === 'internal') log.error({ err: error.cause }, 'socket refused');
        next(Object.assign(new Error(error.message), { data: problemOf(error, newUuid()) }));
      },
    );
  });

  io.on('connection', (socket) => {
    const { actor } = socket.data;
    void socket.join([userRoom(actor.userId), sessionRoom(actor.sessionId)]);
    for (const event of deps.events) listen(socket, event, log);
    endAtExpiry(socket, clock);
    deps
      .onConnect({
        actor,
        join: (rooms) => void socket.join(rooms),
        leave: (room) => void socket.leave(room),
        emit: (event, payload) => {
          emitTo(socket, event, payload);
        },
      })
      .catch((thrown: unknown) => {
        log.warn({ err: thrown }, 'a socket could not be made ready; it is closed and comes back');
        socket.disconnect(true);
      });
  });

  const sockets = io.sockets;
  return {
    emit(room, event, payload, options) {
      // The adapter of one process knows its rooms; a payload that nobody gets is not built.
      if (!sockets.adapter.rooms.has(room)) return;
      const target = options?.exceptRoom === undefined ? io.to(room) : io.to(room).except(options.exceptRoom);
      emitTo(target, event, payload());
    },
    join(room, other) {
      io.in(room).socketsJoin(other);
    },
    leave(room, other) {
      io.in(room).socketsLeave(other);
    },
    disconnect(room) {
      io.in(room).disconnectSockets(true);
    },
    async close(reconnectAfterMs) {
      emitTo(io, 'serverDraining', { reconnectAfterMs });
      await closeInBatches([...sockets.sockets.values()], reconnectAfterMs);
      await io.close();
    },
  };
};

// Typed by the event maps at the call; Socket.IO's own types cannot follow a generic name.
const emitTo = <Name extends ServerEventName>(
  target: { emit: (...args: never[]) => unknown },
  event: Name,
  payload: ServerEvent<Name>,
) => {
  (target.emit as (event: string, payload: unknown) => unknown)(event, payload);
};

const admit = async (
  socket: AppSocket,
  { authenticate, phase }: { authenticate: Authenticate; phase: () => Phase },
): Promise<void> => {
  if (phase() !== 'open')
    throw new DomainError('not-ready', {
      detail: 'The server is starting or stopping. Connect again in a moment.',
      retryAfterSeconds: 1,
    });
  if ('token' in socket.handshake.query || 'access_token' in socket.handshake.query)
    throw new DomainError('unauthenticated', {
      detail: 'A token in the URL is refused; use `auth: {token}`.',
    });
  const token: unknown = (socket.handshake.auth as Record<string, unknown>)['token'];
  if (typeof token !== 'string')
    throw new DomainError('unauthenticated', { detail: 'Connect with `auth: {token: <accessToken>}`.' });
  socket.data.actor = await authenticate(token);
};

const listen = (socket: AppSocket, event: SocketEvent, log: Logger) => {
  const answer = async (payload: unknown, requestId: string): Promise<object> => {
    try {
      const value = payload ?? {};
      if (typeof value !== 'object' || Array.isArray(value))
        throw new DomainError('malformed', { detail: 'The payload must be a JSON object.' });
      refuseForbiddenKeys(value);
      return await event.handle({ actor: socket.data.actor, payload: value, log });
    } catch (thrown) {
      const error = toDomainError(thrown);
      if (error.code === 'internal')
        log.error({ err: error.cause, requestId, event: event.name }, 'event failed');
      return { error: problemOf(error, requestId) };
    }
  };
  socket.on(event.name, (payload: unknown, ack?: unknown) => {
    void answer(payload, newUuid()).then((value) => {
      if (typeof ack === 'function') (ack as (value: object) => void)(value);
    });
  });
};

/** A socket lives no longer than the token it came with. */
const endAtExpiry = (socket: AppSocket, clock: Clock) => {
  const timer = setTimeout(
    () => {
      socket.emit('sessionEnded', { reason: 'expired' });
      socket.disconnect(true);
    },
    Math.max(0, socket.data.actor.expiresAt - clock.now()),
  );
  timer.unref();
  socket.on('disconnect', () => {
    clearTimeout(timer);
  });
};

/** Spread, so that a thousand phones do not come back in the same moment. */
const closeInBatches = async (sockets: readonly AppSocket[], withinMs: number): Promise<void> => {
  const batches = Math.min(10, Math.ceil(sockets.length / 50));
  for (let batch = 0; batch < batches; batch++) {
    for (const socket of sockets.slice(
      (batch * sockets.length) / batches,
      ((batch + 1) * sockets.length) / batches,
    ))
      socket.disconnect(true);
    if (batch < batches - 1) await new Promise((resolve) => setTimeout(resolve, withinMs / batches));
  }
};
