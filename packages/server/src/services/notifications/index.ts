/**
 * notifications: owns the socket server's rooms and what is sent through them. A person's sockets stand in
 * `user:<id>`, and for each friend who shares `live` with them, in `live:<friendId>`; so a puff is one emit to one room.
 */
import type { Friend, Puff, ServerEvent, ServerEventName, UserStats } from '@pufftrack/contract';
import type { Actor } from '../../platform/actor.ts';
import { sessionRoom, userRoom, type Realtime } from '../../platform/realtime/socket-server.ts';

export interface Connecting {
  readonly actor: Actor;
  join(rooms: string[]): void;
  leave(room: string): void;
  emit<Name extends ServerEventName>(event: Name, payload: ServerEvent<Name>): void;
}

export interface Notifications {
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

export const createNotifications = (deps: {
  /** The socket server is made after this service, with it. */
  realtime: () => Realtime;
  statsOf: (userId: string) => Promise<UserStats>;
  friendsOf: (userId: string) => Promise<Friend[]>;
  liveFriendsOf: (userId: string) => Promise<readonly string[]>;
}): Notifications => ({
  async connected({ actor, join, leave, emit }) {
    const { userId } = actor;
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
    emit('ready', { userId, seq: 0, stats, friends });
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
    deps.realtime().emit(sessionRoom(sessionId), 'sessionEnded', () => ({ reason }));
    deps.realtime().disconnect(sessionRoom(sessionId));
  },
});
