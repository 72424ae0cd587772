/**
 * notifications: owns the inbox and the socket server's rooms, and what is sent through them. A person's sockets stand
 * in `user:<id>`, and for each friend who shares `live` with them, in `live:<friendId>`; so a puff is one emit to one
 * room. It says what people are told and by which way, never what is true.
 */
import type { Friend, Puff, ServerEvent, ServerEventName, UserStats } from '@pufftrack/contract';
import type { Actor, Route } from '../../platform/http/route.ts';
import { sessionRoom, userRoom, type Realtime } from '../../platform/realtime/socket-server.ts';
import { deviceRoutes } from './device-routes.ts';
import { inboxRoutes } from './inbox-routes.ts';
import type { Tell } from './inbox-service.ts';
import { createInbox, type Inbox, type InboxDeps } from './inbox.ts';

export type { ApnsConfig } from './apns-client.ts';
export type { Tell } from './inbox-service.ts';
export type { Named, News } from './news.ts';

export interface Connecting {
  readonly actor: Actor;
  /** What the handshake says that the client has had last; not looked at yet. */
  readonly lastSeq: unknown;
  /** Runs when the socket has closed. */
  onClose(callback: () => void): void;
  join(rooms: string[]): void;
  leave(room: string): void;
  emit<Name extends ServerEventName>(event: Name, payload: ServerEvent<Name>): void;
}

export interface Notifications extends Pick<
  Inbox,
  'jobs' | 'ensureIndexes' | 'removePerson' | 'start' | 'settle' | 'stop'
> {
  routes: Route[];
  tell: Tell;
  connected(connection: Connecting): Promise<void>;
  puffsRecorded(recorded: {
    person: { userId: string; name: string | null };
    stats: UserStats;
    sessionId: string;
    liveCount: number;
    puff: Puff | undefined;
  }): void;
  puffsChanged(changed: {
    person: { userId: string };
    stats: UserStats;
    sessionId: string;
    puff?: Puff;
    deleted?: ServerEvent<'puffDeleted'>;
    retractedCount?: number;
  }): void;
  /** A person's day turned: their numbers changed though they did nothing. */
  dayTurned(stats: UserStats): void;
  audienceChanged(change: { userId: string; viewerId: string; live: boolean }): void;
  friendUpdated(to: string, friend: Friend): void;
  friendRemoved(to: string, friendId: string): void;
  /** Numbers that changed without a puff. */
  statsChanged(stats: UserStats): void;
  sessionEnded(ended: { sessionId: string; reason: ServerEvent<'sessionEnded'>['reason'] }): void;
}

const liveRoom = (userId: string) => `live:${userId}`;

export const createNotifications = (
  deps: InboxDeps & {
    /** The socket server is made after this service, with it. */
    realtime: () => Realtime;
    statsOf: (userId: string) => Promise<UserStats>;
    friendsOf: (userId: string) => Promise<Friend[]>;
    liveFriendsOf: (userId: string) => Promise<readonly string[]>;
  },
): Notifications => {
  const inbox = createInbox(deps);
  return {
    jobs: inbox.jobs,
    ensureIndexes: inbox.ensureIndexes,
    removePerson: inbox.removePerson,
    start: inbox.start,
    settle: inbox.settle,
    stop: inbox.stop,
    tell: inbox.service.tell,
    routes: [...inboxRoutes(inbox.service, inbox.preferences), ...deviceRoutes(inbox.devices)],

    async connected({ actor, lastSeq, onClose, join, leave, emit }) {
      const { userId } = actor;
      const place = await inbox.placeOf(userId, lastSeq);
      const rooms = (await deps.liveFriendsOf(userId)).map(liveRoom);
      join(rooms);
      const [stats, friends, still] = await Promise.all([
        deps.statsOf(userId),
        deps.friendsOf(userId),
        // A level that was lowered between the first look and the joining found no socket to move: look again.
        deps.liveFriendsOf(userId),
      ]);
      const allowed = new Set(still.map(liveRoom));
      for (const room of rooms) if (!allowed.has(room)) leave(room);
      emit('ready', { userId, seq: place.head, stats, friends });
      if (place.resync) emit('resyncRequired', { seq: place.head });
      onClose(inbox.open(userId, place.after, emit));
    },

    puffsRecorded({ person, stats, sessionId, liveCount, puff }) {
      const realtime = deps.realtime();
      const { userId, name } = person;
      realtime.emit(userRoom(userId), 'statsUpdate', () => ({ stats }));
      if (puff)
        realtime.emit(userRoom(userId), 'puffRecorded', () => ({ puff }), {
          exceptRoom: sessionRoom(sessionId),
        });
      if (liveCount > 0)
        realtime.emit(liveRoom(userId), 'friendPuff', () => ({
          friendId: userId,
          friendName: name,
          count: liveCount,
          todayCount: stats.dailyPuffCount,
          dailyLimit: stats.dailyLimit,
        }));
    },

    puffsChanged({ person: { userId }, stats, sessionId, puff, deleted, retractedCount }) {
      const realtime = deps.realtime();
      const others = { exceptRoom: sessionRoom(sessionId) };
      realtime.emit(userRoom(userId), 'statsUpdate', () => ({ stats }));
      if (puff) realtime.emit(userRoom(userId), 'puffRecorded', () => ({ puff }), others);
      if (deleted) realtime.emit(userRoom(userId), 'puffDeleted', () => deleted, others);
      if (retractedCount !== undefined)
        realtime.emit(liveRoom(userId), 'friendPuffRetracted', () => ({
          friendId: userId,
          count: retractedCount,
          todayCount: stats.dailyPuffCount,
        }));
    },

    dayTurned(stats) {
      deps.realtime().emit(userRoom(stats.userId), 'statsUpdate', () => ({ stats }));
    },
    audienceChanged({ userId, viewerId, live }) {
      if (live) deps.realtime().join(userRoom(viewerId), liveRoom(userId));
      else deps.realtime().leave(userRoom(viewerId), liveRoom(userId));
    },
    friendUpdated(to, friend) {
      deps.realtime().emit(userRoom(to), 'friendUpdated', () => ({ friend }));
    },
    friendRemoved(to, friendId) {
      deps.realtime().emit(userRoom(to), 'friendRemoved', () => ({ friendId }));
    },
    statsChanged(stats) {
      deps.realtime().emit(userRoom(stats.userId), 'statsUpdate', () => ({ stats }));
    },
    sessionEnded({ sessionId, reason }) {
      // Where this fails, or the process dies first, the look before each push finds the session ended.
      void inbox.forgetDevicesOf(sessionId).catch(() => undefined);
      deps.realtime().emit(sessionRoom(sessionId), 'sessionEnded', () => ({ reason }));
      deps.realtime().disconnect(sessionRoom(sessionId));
    },
  };
};
