import type { Server as HttpServer } from 'node:http';
import type { ServerEvent, ServerEventName } from '@pufftrack/contract';
import { Server } from 'socket.io';
import type { Clock } from '../clock.ts';
import { withDeadline } from '../concurrency/deadline.ts';
import { toDomainError } from '../edge/problem.ts';
import { truncatedAddress } from '../edge/client-address.ts';
import type { OriginPolicy } from '../edge/origins.ts';
import { logRefusal } from '../edge/refusals.ts';
import type { Actor, Authenticate } from '../edge/actor.ts';
import type { Phase } from '../lifecycle.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { connectErrorOf } from './connection-guard.ts';
import { createFrameBudgets } from './frame-budgets.ts';
import { emitTo, type AppSocket, type AppSocketServer } from './app-socket.ts';
import { admit } from './socket-admission.ts';
import { createSocketCalls } from './socket-calls.ts';
import { SingleFrameAdapter } from './single-frame-adapter.ts';
import type { SocketEvent } from './socket-event.ts';
import { createSocketMetrics } from './socket-metrics.ts';
import type { SocketQuota } from './across-processes/socket-quota.ts';
import { watchLifetimes } from './socket-lifetimes.ts';
import { acceptUpgrades } from './upgrades.ts';

/** Sending to sockets by room, and moving them between rooms. Sockets themselves stay inside platform/realtime. */
export interface Realtime {
  /** Sends to every socket of a room; the payload is built only where a socket is in the room. */
  emit<Name extends ServerEventName>(
    room: string,
    event: Name,
    payload: () => ServerEvent<Name>,
    options?: {
      exceptRoom?: string;
      /** An event about a moment is dropped by a process that receives it later than this. */
      goodForMs?: number;
      /** What other processes are sent instead of the payload: the ids by which they load it, where a socket needs it. */
      reference?: object;
    },
  ): void;
  /** Whether a socket of this process stands in `room`, and not in `exceptRoom`. */
  hasMembers(room: string, exceptRoom?: string): boolean;
  /** Of the sockets in this process, those that stand in one of `sources`, and no others, are in `room` from now on. */
  setMembers(room: string, sources: readonly string[]): void;
  /** The sockets of this process in `source` are, of all rooms that begin with `prefix`, in these from now on. */
  setRooms(source: string, prefix: string, rooms: readonly string[]): void;
  disconnect(room: string): void;
  /** The sessions of the sockets in this process, and the people. */
  openSessions(): readonly string[];
  connectedUsers(): readonly string[];
}

/** For a process that holds no sockets. */
export const noSockets: Realtime = {
  emit: () => undefined,
  hasMembers: () => false,
  setMembers: () => undefined,
  setRooms: () => undefined,
  disconnect: () => undefined,
  openSessions: () => [],
  connectedUsers: () => [],
};

export interface RealtimeServer extends Realtime {
  /** Sends `serverDraining` to every socket, closes them in batches over this time, and stops. */
  close(reconnectAfterMs: number): Promise<void>;
}

/** The oldest makes room. */
export const maxSocketsPerPerson = 5;
/** So that six devices of one account do not evict each other all the time. */
const evictedReconnectMs = 60_000;

export const userRoom = (userId: string) => `user:${userId}`;
export const sessionRoom = (sessionId: string) => `session:${sessionId}`;

export const createRealtime = (deps: {
  server: HttpServer;
  authenticate: Authenticate;
  limits: RateLimits;
  isOriginAllowed: OriginPolicy;
  trustedHops: number;
  /** A factor on what the sockets of a person may send in a minute. */
  rateScale: number;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  phase: () => Phase;
  requireCapacity: () => void;
  /** ms for the admission of a socket, for its first events, and from each of its events to the ack. */
  requestDeadlineMs: number;
  connectPacketMs: number;
  events: readonly SocketEvent[];
  /** Undefined where this process holds all sockets. */
  places: SocketQuota | undefined;
  /** Reaches the sockets of every process. */
  everywhere: () => Realtime;
  /** Joins the rooms of the account and sends `ready`. */
  onConnect: (connection: {
    actor: Actor;
    lastSeq: unknown;
    onClose: (callback: () => void) => void;
    emit: <Name extends ServerEventName>(event: Name, payload: ServerEvent<Name>) => void;
  }) => Promise<void>;
}): RealtimeServer => {
  const { clock, log } = deps;
  const metrics = createSocketMetrics(deps.metrics);
  const upgrades = acceptUpgrades({ ...deps, metrics });
  const io: AppSocketServer = new Server({
    adapter: SingleFrameAdapter,
    serveClient: false,
    // The guard of the connection has the deadline: Socket.IO's own would end a sign-in that is under way.
    connectTimeout: 2 ** 31 - 1,
  });
  io.bind(upgrades.engine);
  const budgets = createFrameBudgets({ clock, scale: deps.rateScale });
  const listen = createSocketCalls({ ...deps, metrics });

  io.use((socket, next) => {
    const { requestId, address, signedIn } = upgrades.connectionOf(socket.request);
    withDeadline(deps.requestDeadlineMs, () => admit(socket, address, { ...deps, budgets })).then(
      () => {
        metrics.connected();
        const { userId } = socket.data.actor;
        signedIn((bytes) => budgets.spend(userId, bytes));
        next();
      },
      (thrown: unknown) => {
        const error = toDomainError(thrown);
        metrics.refused(error.code);
        logRefusal(error, {
          where: 'socket',
          actor: undefined,
          log: () => log.child({ requestId, network: truncatedAddress(address) }),
        });
        if (error.code === 'internal')
          log.error(
            { event: 'socket.connect_failed', err: error.details.cause, requestId },
            'socket connection failed',
          );
        next(Object.assign(new Error(error.message), connectErrorOf(error, requestId)));
        // After `connect_error` was written. A connection has one attempt: the next one starts with the cheap checks.
        setImmediate(() => {
          socket.conn.close();
        });
      },
    );
  });

  io.on('connection', (socket) => {
    const { actor } = socket.data;
    void socket.join([userRoom(actor.userId), sessionRoom(actor.sessionId)]);
    // A client may leave the namespace and keep its connection, which no bound would count.
    socket.once('disconnect', () => {
      socket.conn.close();
    });
    listen(socket);
    makeRoom(io, actor.userId);
    if (deps.places) void makeRoomEverywhere(socket, deps.places, deps);
    withDeadline(deps.requestDeadlineMs, () =>
      deps.onConnect({
        actor,
        lastSeq: (socket.handshake.auth as Record<string, unknown>)['lastSeq'],
        onClose: (callback) => {
          // It may have closed while it was made ready.
          if (socket.connected) socket.once('disconnect', callback);
          else callback();
        },
        emit: (event, payload) => {
          emitTo(socket, event, payload);
        },
      }),
    ).catch((thrown: unknown) => {
      log.warn(
        { event: 'socket.initialization_failed', err: thrown },
        'socket initialization failed; closing',
      );
      socket.disconnect(true);
    });
  });

  const sockets = io.sockets;
  /** The sockets of this process in a room; the adapter holds no others. */
  const idsIn = (room: string): string[] => [...(sockets.adapter.rooms.get(room) ?? [])];
  deps.metrics.watched(
    { name: 'sockets_open', help: 'Sockets that this process holds' },
    () => sockets.sockets.size,
  );
  deps.metrics.watched(
    { name: 'sockets_anonymous', help: 'Open WebSockets that have not signed in' },
    upgrades.anonymous,
  );
  const stopWatching = watchLifetimes({
    sockets: () => sockets.sockets.values(),
    onStalled({ data }) {
      log.info({ event: 'socket.stalled', userId: data.actor.userId }, 'slow socket closed');
    },
    clock,
  });
  return {
    emit(room, event, payload, options) {
      // The adapter of one process knows its rooms; a payload without a recipient is not built.
      if (!sockets.adapter.rooms.has(room)) return;
      const target = options?.exceptRoom === undefined ? io.to(room) : io.to(room).except(options.exceptRoom);
      emitTo(target, event, payload());
    },
    hasMembers(room, exceptRoom) {
      const { rooms } = sockets.adapter;
      const others = exceptRoom === undefined ? undefined : rooms.get(exceptRoom);
      return idsIn(room).some((id) => !others?.has(id));
    },
    setMembers(room, sources) {
      const members = new Set(sources.flatMap((source) => idsIn(source)));
      for (const id of idsIn(room)) if (!members.has(id)) void sockets.sockets.get(id)?.leave(room);
      for (const id of members) void sockets.sockets.get(id)?.join(room);
    },
    setRooms(source, prefix, rooms) {
      const wanted = new Set(rooms);
      for (const id of idsIn(source)) {
        const socket = sockets.sockets.get(id);
        if (!socket) continue;
        for (const room of [...socket.rooms])
          if (room.startsWith(prefix) && !wanted.has(room)) void socket.leave(room);
        void socket.join([...wanted]);
      }
    },
    disconnect(room) {
      io.in(room).disconnectSockets(true);
    },
    openSessions: () => [...new Set([...sockets.sockets.values()].map(({ data }) => data.actor.sessionId))],
    connectedUsers: () => [...new Set([...sockets.sockets.values()].map(({ data }) => data.actor.userId))],
    async close(reconnectAfterMs) {
      stopWatching();
      upgrades.close();
      emitTo(io, 'serverDraining', { reconnectAfterMs });
      await closeInBatches([...sockets.sockets.values()], reconnectAfterMs);
      await io.close();
    },
  };
};

/** The rooms of this process keep sockets in the order in which they joined. */
const makeRoom = (io: AppSocketServer, userId: string) => {
  const ids = [...(io.sockets.adapter.rooms.get(userRoom(userId)) ?? [])];
  for (const id of ids.slice(0, Math.max(0, ids.length - maxSocketsPerPerson))) {
    const oldest = io.sockets.sockets.get(id);
    if (!oldest) continue;
    emitTo(oldest, 'serverDraining', { reconnectAfterMs: evictedReconnectMs });
    oldest.disconnect(true);
  }
};

/** The same for the sockets of all processes; each stands in a room of its own id. */
const makeRoomEverywhere = async (
  socket: AppSocket,
  places: SocketQuota,
  { everywhere }: { everywhere: () => Realtime },
) => {
  const { userId } = socket.data.actor;
  socket.on('disconnect', () => {
    places.give(userId, socket.id);
  });
  for (const oldest of await places.take(userId, socket.id)) {
    everywhere().emit(oldest, 'serverDraining', () => ({ reconnectAfterMs: evictedReconnectMs }));
    everywhere().disconnect(oldest);
  }
};

/** Spread, so that a thousand phones do not reconnect in the same moment. */
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
