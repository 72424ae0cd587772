import type { Friend, Puff, ServerEvent, UserStats } from '@pufftrack/contract';
import { minuteMs } from '../../../domain/durations.ts';
import { sessionRoom, userRoom, type Realtime } from '../../../platform/realtime/socket-server.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { SharingPolicy } from '../ports.ts';
import { friendPuffReference, friendReference, puffReference, statsReference } from './event-references.ts';

export interface PuffsRecorded {
  readonly person: { readonly userId: string; readonly name: string | null };
  readonly stats: UserStats;
  /** The session that sent the puffs. */
  readonly sessionId: string;
  /** The quantity that friends see live; 0: none. */
  readonly liveCount: number;
  /** Undefined for several puffs at once. */
  readonly puff: Puff | undefined;
}

export interface PuffsChanged {
  readonly person: { readonly userId: string };
  readonly stats: UserStats;
  /** The session that made the change. */
  readonly sessionId: string;
  readonly puff?: Puff;
  readonly deleted?: ServerEvent<'puffDeleted'>;
  /** Deleted puffs that were shown live when they were received (ms). */
  readonly retracted?: readonly { readonly quantity: number; readonly receivedAt: number }[];
}

/** Events that are neither stored nor replayed. A client that misses one is up to date after the next `ready`. */
export interface LiveEvents {
  puffsRecorded(recorded: PuffsRecorded): void;
  puffsChanged(changed: PuffsChanged): Promise<void>;
  /** Statistics changed without a puff: a setting, a check-in, a new local day. */
  statsChanged(stats: UserStats): void;
  /** From now on, the sockets of `viewers` and no others in this process receive the puffs of `userId`. */
  setAudience(userId: string, viewers: ReadonlySet<string>): void;
  /** From now on, the sockets of `viewer` in this process receive the puffs of these users and of no others. */
  setSources(viewer: string, userIds: ReadonlySet<string>): void;
  /** The users whose sockets this process holds. */
  connectedUsers(): readonly string[];
  /** To the sockets of `to`, except those of the session that made the change. */
  friendUpdated(to: string, friend: Friend, exceptSession?: string): void;
  friendRemoved(to: string, friendId: string, exceptSession?: string): void;
  /** Sends `sessionEnded` to the sockets of a session and closes them. */
  sessionEnded(ended: { sessionId: string; reason: ServerEvent<'sessionEnded'>['reason'] }): void;
}

const livePrefix = 'live:';
const liveRoom = (userId: string) => `${livePrefix}${userId}`;
/**
 * `friendPuff` conveys its moment by its arrival, so other processes drop it after this time. The clocks of two
 * processes differ by less.
 */
const friendPuffValidMs = minuteMs;

const except = (sessionId: string | undefined) =>
  sessionId === undefined ? undefined : { exceptRoom: sessionRoom(sessionId) };

export const createLiveEvents = (deps: {
  realtime: () => Realtime;
  sharing: Pick<SharingPolicy, 'liveViewersOf'>;
  log: Logger;
}): LiveEvents => {
  const { realtime, sharing, log } = deps;

  const sendStats = (stats: UserStats) => {
    realtime().emit(userRoom(stats.userId), 'statsUpdate', () => ({ stats }), {
      reference: statsReference(stats.userId),
    });
  };

  const sendPuff = (userId: string, puff: Puff, sessionId: string) => {
    realtime().emit(userRoom(userId), 'puffRecorded', () => ({ puff }), {
      ...except(sessionId),
      reference: puffReference(userId, puff.id),
    });
  };

  const sendFriendPuff = (payload: ServerEvent<'friendPuff'>) => {
    realtime().emit(liveRoom(payload.friendId), 'friendPuff', () => payload, {
      goodForMs: friendPuffValidMs,
      reference: friendPuffReference(payload),
    });
  };

  /**
   * To each friend who was shown some of these puffs: a live viewer now, and without a break since the puff was received.
   * A friend who became a viewer or unmuted later was not shown it. Whether the friend's device was connected then is not
   * known; one that was not has the right count from `ready`.
   */
  const sendRetractions = async (
    userId: string,
    todayCount: number,
    retracted: NonNullable<PuffsChanged['retracted']>,
  ): Promise<void> => {
    try {
      for (const viewer of await sharing.liveViewersOf(userId)) {
        const count = retracted
          .filter(({ receivedAt }) => receivedAt >= viewer.since)
          .reduce((sum, { quantity }) => sum + quantity, 0);
        if (count === 0) continue;
        realtime().emit(userRoom(viewer.userId), 'friendPuffRetracted', () => ({
          friendId: userId,
          count,
          todayCount,
        }));
      }
    } catch (error) {
      log.warn({ event: 'live.retraction_failed', err: error }, 'sending friendPuffRetracted failed');
    }
  };

  return {
    puffsRecorded({ person: { userId, name }, stats, sessionId, liveCount, puff }) {
      sendStats(stats);
      if (puff) sendPuff(userId, puff, sessionId);
      if (liveCount > 0)
        sendFriendPuff({
          friendId: userId,
          friendName: name,
          count: liveCount,
          todayCount: stats.dailyPuffCount,
          dailyLimit: stats.dailyLimit,
        });
    },
    async puffsChanged({ person: { userId }, stats, sessionId, puff, deleted, retracted = [] }) {
      sendStats(stats);
      if (puff) sendPuff(userId, puff, sessionId);
      if (deleted) realtime().emit(userRoom(userId), 'puffDeleted', () => deleted, except(sessionId));
      if (retracted.length > 0) await sendRetractions(userId, stats.dailyPuffCount, retracted);
    },
    statsChanged: sendStats,
    setAudience(userId, viewers) {
      realtime().setMembers(liveRoom(userId), [...viewers].map(userRoom));
    },
    setSources(viewer, userIds) {
      realtime().setRooms(userRoom(viewer), livePrefix, [...userIds].map(liveRoom));
    },
    connectedUsers: () => realtime().connectedUsers(),
    friendUpdated(to, friend, exceptSession) {
      realtime().emit(userRoom(to), 'friendUpdated', () => ({ friend }), {
        ...except(exceptSession),
        reference: friendReference(to, friend.userId),
      });
    },
    friendRemoved(to, friendId, exceptSession) {
      realtime().emit(userRoom(to), 'friendRemoved', () => ({ friendId }), except(exceptSession));
    },
    sessionEnded({ sessionId, reason }) {
      realtime().emit(sessionRoom(sessionId), 'sessionEnded', () => ({ reason }));
      realtime().disconnect(sessionRoom(sessionId));
    },
  };
};
