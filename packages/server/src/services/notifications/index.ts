/**
 * notifications: owns the inbox, devices, pushes and the socket server's rooms, and what is sent through them. A person's sockets stand
 * in `user:<id>`, and for each friend who shares `live` with them, in `live:<friendId>`; so a puff is one emit to one
 * room. It says what people are told and by which way, never what is true.
 */
import type { Friend, Puff, ServerEvent, ServerEventName, UserStats } from '@pufftrack/contract';
import type { Actor } from '../../platform/edge/actor.ts';
import type { Route } from '../../platform/http/route.ts';
import { sessionRoom, userRoom, type Realtime } from '../../platform/realtime/socket-server.ts';
import {
  friendPuffReference,
  friendReference,
  loadEvent,
  puffReference,
  statsReference,
  type EventSources,
} from './live/event-references.ts';
import { friendChanges } from './live/friend-changes.ts';
import { deviceRoutes } from './push/device-routes.ts';
import { inboxRoutes } from './inbox/inbox-routes.ts';
import type { Notify } from './inbox/inbox-service.ts';
import { createInbox, type Inbox, type InboxDeps } from './inbox/inbox.ts';

export type { ApnsConfig } from './push/apns/apns-client.ts';
export type { Notify } from './inbox/inbox-service.ts';
export type { Named, NotificationEvent } from './inbox/notification-event.ts';

export interface Connecting {
  readonly actor: Actor;
  /** What the handshake says that the client has had last; not looked at yet. */
  readonly lastSeq: unknown;
  /** Runs when the socket has closed. */
  onClose(callback: () => void): void;
  emit<Name extends ServerEventName>(event: Name, payload: ServerEvent<Name>): void;
}

export interface Notifications extends Pick<
  Inbox,
  | 'jobs'
  | 'ensureIndexes'
  | 'hideName'
  | 'markMilestonesRead'
  | 'eraseUser'
  | 'moveDevices'
  | 'appendedElsewhere'
  | 'findMuteAll'
  | 'start'
  | 'settle'
  | 'stop'
> {
  routes: Route[];
  notify: Notify;
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
    /** Puffs that were shown live when they were received (ms), and are no more. */
    retracted?: readonly { quantity: number; receivedAt: number }[];
  }): Promise<void>;
  /** The payload of an event that another process refers to; undefined where there is nothing to tell any more. */
  loadEvent(event: string, reference: unknown): Promise<object | undefined>;
  /** From now on the sockets of `viewers`, and no others of this process, are told of the puffs of `userId`. */
  setAudience(userId: string, viewers: ReadonlySet<string>): void;
  /** From now on the sockets of `viewer` here are told of the puffs of these people, and of no others. */
  setSources(viewer: string, userIds: ReadonlySet<string>): void;
  /** Whose sockets this process holds. */
  openPeople(): readonly string[];
  /** To the sockets of `to`, but for those of the session that has the news already. */
  friendUpdated(to: string, friend: Friend, exceptSession?: string): void;
  friendRemoved(to: string, friendId: string, exceptSession?: string): void;
  /** Numbers that changed without a puff. */
  statsChanged(stats: UserStats): void;
  sessionEnded(ended: { sessionId: string; reason: ServerEvent<'sessionEnded'>['reason'] }): void;
}

const livePrefix = 'live:';
/** A friend's puff tells its moment by arriving; the clocks of two processes may differ by less than this. */
const liveForMs = 60_000;
const liveRoom = (userId: string) => `${livePrefix}${userId}`;
const except = (sessionId: string | undefined) =>
  sessionId === undefined ? undefined : { exceptRoom: sessionRoom(sessionId) };

export const createNotifications = (
  deps: InboxDeps & {
    /** The socket server is made after this service, with it. */
    realtime: () => Realtime;
    statsOf: (userId: string) => Promise<UserStats>;
    friendsOf: (userId: string) => Promise<Friend[]>;
    puffOf: EventSources['puffOf'];
    friendOf: EventSources['friendOf'];
    person: EventSources['person'];
    /** Puts the sockets of a person in this process into the live rooms of their friends. */
    placeSockets: (userId: string) => Promise<void>;
    /** Friends who may be told of this person's puffs, each since when (ms) without a break. */
    liveViewersOf: (userId: string) => Promise<readonly { userId: string; since: number }[]>;
  },
): Notifications => {
  const inbox = createInbox(deps);
  return {
    jobs: inbox.jobs,
    ensureIndexes: inbox.ensureIndexes,
    hideName: inbox.hideName,
    markMilestonesRead: inbox.markMilestonesRead,
    eraseUser: inbox.eraseUser,
    moveDevices: inbox.moveDevices,
    appendedElsewhere: inbox.appendedElsewhere,
    findMuteAll: inbox.findMuteAll,
    start: inbox.start,
    settle: inbox.settle,
    stop: inbox.stop,
    notify: inbox.service.notify,
    routes: [...inboxRoutes(inbox.service, inbox.preferences), ...deviceRoutes(inbox.devices)],

    async connected({ actor, lastSeq, onClose, emit }) {
      const { userId } = actor;
      const place = await inbox.placeOf(userId, lastSeq);
      await deps.placeSockets(userId);
      const [stats, friends] = await Promise.all([deps.statsOf(userId), deps.friendsOf(userId)]);
      emit('ready', { userId, seq: place.head, stats, friends });
      // What changed while the list was read was told before it: looked at once more, and told again.
      const changes = friendChanges(friends, await deps.friendsOf(userId));
      for (const friendId of changes.removed) emit('friendRemoved', { friendId });
      for (const friend of changes.updated) emit('friendUpdated', { friend });
      if (place.resync) emit('resyncRequired', { seq: place.head });
      onClose(inbox.open(userId, place.after, emit));
    },

    puffsRecorded({ person, stats, sessionId, liveCount, puff }) {
      const realtime = deps.realtime();
      const { userId, name } = person;
      realtime.emit(userRoom(userId), 'statsUpdate', () => ({ stats }), {
        reference: statsReference(stats.userId),
      });
      if (puff)
        realtime.emit(userRoom(userId), 'puffRecorded', () => ({ puff }), {
          ...except(sessionId),
          reference: puffReference(userId, puff.id),
        });
      if (liveCount > 0)
        tellFriends(realtime, userId, {
          friendId: userId,
          friendName: name,
          count: liveCount,
          todayCount: stats.dailyPuffCount,
          dailyLimit: stats.dailyLimit,
        });
    },

    async puffsChanged({ person: { userId }, stats, sessionId, puff, deleted, retracted = [] }) {
      const realtime = deps.realtime();
      const others = except(sessionId);
      realtime.emit(userRoom(userId), 'statsUpdate', () => ({ stats }), {
        reference: statsReference(stats.userId),
      });
      if (puff)
        realtime.emit(userRoom(userId), 'puffRecorded', () => ({ puff }), {
          ...others,
          reference: puffReference(userId, puff.id),
        });
      if (deleted) realtime.emit(userRoom(userId), 'puffDeleted', () => deleted, others);
      if (retracted.length > 0)
        await tellRetracted(deps, { userId, todayCount: stats.dailyPuffCount, retracted });
    },

    loadEvent: (event, reference) => loadEvent(deps, event, reference),

    setAudience(userId, viewers) {
      deps.realtime().setMembers(liveRoom(userId), [...viewers].map(userRoom));
    },
    setSources(viewer, userIds) {
      deps.realtime().setRooms(userRoom(viewer), livePrefix, [...userIds].map(liveRoom));
    },
    openPeople: () => deps.realtime().openPeople(),
    friendUpdated(to, friend, exceptSession) {
      deps.realtime().emit(userRoom(to), 'friendUpdated', () => ({ friend }), {
        ...except(exceptSession),
        reference: friendReference(to, friend.userId),
      });
    },
    friendRemoved(to, friendId, exceptSession) {
      deps.realtime().emit(userRoom(to), 'friendRemoved', () => ({ friendId }), except(exceptSession));
    },
    statsChanged(stats) {
      deps.realtime().emit(userRoom(stats.userId), 'statsUpdate', () => ({ stats }), {
        reference: statsReference(stats.userId),
      });
    },
    sessionEnded({ sessionId, reason }) {
      // Where this fails, or the process dies first, the look before each push finds the session ended.
      void inbox.forgetDevicesOf(sessionId).catch(() => undefined);
      deps.realtime().emit(sessionRoom(sessionId), 'sessionEnded', () => ({ reason }));
      deps.realtime().disconnect(sessionRoom(sessionId));
    },
  };
};

const tellFriends = (realtime: Realtime, userId: string, payload: ServerEvent<'friendPuff'>) => {
  realtime.emit(liveRoom(userId), 'friendPuff', () => payload, {
    goodForMs: liveForMs,
    reference: friendPuffReference(payload),
  });
};

/**
 * To each friend who was shown some of these puffs: who may be told now, and has been able to be without a break since
 * the puff was received. Somebody who was let in, or unmuted, after it, was not shown it. Whether their phone was
 * connected then is not known; one that was not has the right count from `ready`. A hint that may be lost like any other.
 */
const tellRetracted = async (
  deps: Pick<Parameters<typeof createNotifications>[0], 'realtime' | 'liveViewersOf' | 'log'>,
  what: {
    userId: string;
    todayCount: number;
    retracted: readonly { quantity: number; receivedAt: number }[];
  },
): Promise<void> => {
  const { userId, todayCount, retracted } = what;
  try {
    for (const viewer of await deps.liveViewersOf(userId)) {
      const count = retracted
        .filter(({ receivedAt }) => receivedAt >= viewer.since)
        .reduce((sum, { quantity }) => sum + quantity, 0);
      if (count === 0) continue;
      deps.realtime().emit(userRoom(viewer.userId), 'friendPuffRetracted', () => ({
        friendId: userId,
        count,
        todayCount,
      }));
    }
  } catch (error) {
    deps.log.warn(
      { event: 'notifications.retraction_lost', err: error },
      'friends were not told of a deletion',
    );
  }
};
