/** sharing: who sees what of a user, and which sockets receive whose puffs. */
import type { ClientSession, Connection } from 'mongoose';
import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import type { Route } from '../../../platform/http/route.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { UserBase } from '../accounts/index.ts';
import type { AudienceRooms, ChangeAnnouncements, MuteAllReader, StatsReader } from '../ports.ts';
import { createAudience, type Audience } from './audience.ts';
import { createAudiencePoller, type AudiencePoller } from './audience-poller.ts';
import { createAudienceStore, type AudienceStore } from './audience-store.ts';
import { createFriendConnectionStore, type FriendConnectionStore } from './friend-connection-store.ts';
import { ghostRoutes } from './ghost-routes.ts';
import { createGhostService, type RefreshForFriends } from './ghost-service.ts';

const AudienceChangedMessage = z.object({ userIds: z.array(z.string()) });

/** Which sockets of this process receive whose puffs. */
export interface LiveAudiences {
  readonly audiencePoller: AudiencePoller;
  /** Moves the user's sockets into the audiences of their friends. */
  joinAudiences(userId: string): Promise<void>;
  /** Part of a transaction that changes who receives this user's puffs, or whose puffs this user receives. */
  markAudienceChanged(userId: string, tx: ClientSession): Promise<void>;
  /** After that transaction: applies the change in this process and announces it to the others. */
  refreshAudience(userId: string): Promise<boolean>;
  /** Applies a change that another process has announced on the bus. */
  onRemoteAudienceChange(message: unknown): void;
}

export interface SharingRoom {
  readonly routes: Route[];
  readonly connections: FriendConnectionStore;
  readonly audiences: AudienceStore;
  /** Changes by this process are announced to the other ones. */
  readonly audience: Audience;
  readonly liveAudiences: LiveAudiences;
}

export const createSharingRoom = (
  deps: UserBase & {
    connection: Connection;
    rooms: AudienceRooms;
    muteSettings: MuteAllReader;
    stats: StatsReader;
    announcements: Pick<ChangeAnnouncements, 'audienceChanged'>;
    refreshForFriends: RefreshForFriends;
    clock: Clock;
    log: Logger;
  },
): SharingRoom => {
  const connections = createFriendConnectionStore(deps.connection);
  const audiences = createAudienceStore(deps.connection);
  const local = createAudience({ ...deps, connections });
  const audience: Audience = {
    join: local.join,
    refresh(userIds) {
      deps.announcements.audienceChanged(userIds);
      return local.refresh(userIds);
    },
  };
  const ghosts = createGhostService({ ...deps, store: audiences, audience });
  return {
    routes: ghostRoutes(ghosts),
    connections,
    audiences,
    audience,
    liveAudiences: {
      audiencePoller: createAudiencePoller({
        ...deps,
        store: audiences,
        audience: local,
        endExpiredGhosts: ghosts.endExpired,
      }),
      joinAudiences: (userId) => audience.join([userId]),
      markAudienceChanged: (userId, tx) => audiences.markChanged([userId], tx),
      refreshAudience: (userId) => audience.refresh([userId]),
      onRemoteAudienceChange(message) {
        const parsed = AudienceChangedMessage.safeParse(message);
        // A failure withholds live puffs until the poller has read the audiences.
        if (parsed.success) void local.refresh(parsed.data.userIds);
      },
    },
  };
};
