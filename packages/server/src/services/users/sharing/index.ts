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
import { createGhosts, type RefreshForFriends } from './ghost-service.ts';

const AudienceChangedMessage = z.object({ userIds: z.array(z.string()) });

export interface SharingRoom {
  readonly routes: Route[];
  readonly connections: FriendConnectionStore;
  readonly audiences: AudienceStore;
  /** Changes by this process are announced to the other ones. */
  readonly audience: Audience;
  readonly audiencePoller: AudiencePoller;
  placeSockets(userId: string): Promise<void>;
  moveAudience(userId: string, tx: ClientSession): Promise<void>;
  audienceMoved(userId: string): Promise<boolean>;
  audienceChangedElsewhere(message: unknown): void;
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
    place: local.place,
    changed(userIds) {
      deps.announcements.audienceChanged(userIds);
      return local.changed(userIds);
    },
  };
  const ghosts = createGhosts({ ...deps, store: audiences, audience });
  return {
    routes: ghostRoutes(ghosts),
    connections,
    audiences,
    audience,
    audiencePoller: createAudiencePoller({
      ...deps,
      store: audiences,
      audience: local,
      endExpiredGhosts: ghosts.endExpired,
    }),
    placeSockets: (userId) => audience.place([userId]),
    moveAudience: (userId, tx) => audiences.markChanged([userId], tx),
    audienceMoved: (userId) => audience.changed([userId]),
    audienceChangedElsewhere(message) {
      const parsed = AudienceChangedMessage.safeParse(message);
      // A failure withholds live puffs until the poller has read the audiences.
      if (parsed.success) void local.changed(parsed.data.userIds);
    },
  };
};
