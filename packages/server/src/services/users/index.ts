/**
 * users: owns `User`, consents, friend requests, invites, blocks, reports and `FriendConnection`; the only code that
 * writes them or reads them.
 * It says who may see what of whom, never what anybody's numbers are.
 */
import type { Friend, FriendSummary } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Accounts } from '../auth/index.ts';
import { createAccounts } from './accounts.ts';
import { createAudience, type AudienceRooms } from './audience.ts';
import { createAudienceStore } from './audience-store.ts';
import { createAudienceWatch, type AudienceWatch } from './audience-watch.ts';
import { createBlocks } from './block-service.ts';
import { createBlockStore } from './block-store.ts';
import { createFriendConnectionStore } from './friend-connection-store.ts';
import { createFriendRequests } from './friend-request-service.ts';
import { createFriendRequestStore } from './friend-request-store.ts';
import { friendRoutes } from './friend-routes.ts';
import { createFriendService, type FriendLive, type LiveViewer } from './friend-service.ts';
import { createGhosts } from './ghost-service.ts';
import { createInvites } from './invite-service.ts';
import { createInviteStore } from './invite-store.ts';
import { createPeople, type People } from './people.ts';
import { createReports, type Reports } from './report-service.ts';
import { createReportStore } from './report-store.ts';
import { createSettingsChanges, type SettingsChanges } from './settings-changes.ts';
import { requireConsents, type PersonSettings } from './user.ts';
import { userRoutes } from './user-routes.ts';
import { createUserService } from './user-service.ts';
import { createUserStore } from './user-store.ts';

export { orderFriendIndexes } from './friend-indexes-migration.ts';
export type { AudienceRooms } from './audience.ts';
export type { FriendLive, LiveViewer } from './friend-service.ts';
export type { OpenReport, Verdict } from './report-service.ts';
export type { PersonSettings } from './user.ts';
export type { PeoplePage } from './user-store.ts';

export interface Users extends Pick<People, 'settings' | 'settingsOfMany' | 'listPage' | 'listTimeZones'> {
  routes: Route[];
  accounts: Accounts;
  requireConsents: typeof requireConsents;
  changeSettings: SettingsChanges;
  friendsOf(userId: string): Promise<Friend[]>;
  /** Puts a person's sockets of this process where their friends' levels put them. */
  placeSockets(userId: string): Promise<void>;
  /** Friends who are told of this person's puffs as they happen, each since when without a break. */
  liveViewersOf(userId: string): Promise<LiveViewer[]>;
  /** Keeps the sockets of this process where they belong, whichever process changes that. */
  audienceWatch: AudienceWatch;
  /** For the operator. */
  reports: Pick<Reports, 'listOpen' | 'review'>;
  /** Friends who let this person see their summary and who are on boards. */
  boardFriendsOf(userId: string): Promise<readonly string[]>;
  ensureIndexes(): Promise<void>;
}

export const createUsers = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  publicUrl: string;
  isKnownZone: (name: string) => boolean;
  live: FriendLive & AudienceRooms;
  summaries: (people: readonly PersonSettings[]) => Promise<ReadonlyMap<string, FriendSummary>>;
  onProfileChanged: (person: PersonSettings, fields: readonly string[]) => Promise<void>;
}): Users => {
  const { connection, clock, log, isKnownZone, live, summaries } = deps;
  const store = createUserStore(connection);
  const audiences = createAudienceStore(connection);
  const requests = createFriendRequestStore(connection);
  const connections = createFriendConnectionStore(connection);
  const blocks = createBlockStore(connection);
  const invites = createInviteStore(connection);
  const reportStore = createReportStore(connection);
  const people = createPeople({ store, clock });
  const audience = createAudience({ connections, people, rooms: live, clock, log });
  const graph = { connection, users: store, connections, audiences, audience, people, live, clock };
  const friends = createFriendService({ ...graph, store: connections, summaries });
  const friendRequests = createFriendRequests({ ...graph, requests, blocks, friends });
  const ghosts = createGhosts({ ...graph, store: audiences, friends, summaries });
  const reports = createReports({ connection, users: store, reports: reportStore, people, friends, clock });
  const service = createUserService({
    connection,
    store,
    audiences,
    people,
    clock,
    isKnownZone,
    onProfileChanged: deps.onProfileChanged,
    onConsentsChanged: friends.consentsChanged,
  });
  return {
    routes: [
      ...userRoutes(service, ghosts),
      ...friendRoutes({
        friends,
        requests: friendRequests,
        invites: createInvites({
          ...graph,
          invites,
          blocks,
          befriending: friendRequests,
          publicUrl: deps.publicUrl,
        }),
        blocks: createBlocks({ ...graph, blocks, requests }),
        reports,
      }),
    ],
    accounts: createAccounts({ store, people, clock, isKnownZone }),
    settings: people.settings,
    settingsOfMany: people.settingsOfMany,
    listPage: people.listPage,
    listTimeZones: people.listTimeZones,
    requireConsents,
    changeSettings: createSettingsChanges({ connection, store, people }),
    friendsOf: friends.list,
    placeSockets: (userId) => audience.place([userId]),
    liveViewersOf: friends.liveViewersOf,
    boardFriendsOf: friends.boardFriendsOf,
    audienceWatch: createAudienceWatch({
      store: audiences,
      audience,
      rooms: live,
      endOverGhosts: ghosts.endOver,
      log,
    }),
    reports,
    async ensureIndexes() {
      for (const owned of [store, requests, connections, blocks, invites, reportStore])
        await owned.ensureIndexes();
    },
  };
};
