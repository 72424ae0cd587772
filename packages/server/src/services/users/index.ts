/**
 * users: owns `User`, consents, friend requests, invites, blocks, reports, `FriendConnection` and erasures; the only code
 * that writes them or reads them. It says who may see what of whom, never what anybody's numbers are.
 */
import type { Friend, FriendSummary } from '@pufftrack/contract';
import type { ClientSession, Connection } from 'mongoose';
import type { MuteAll } from './friends/friendship.ts';
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import { createOutboxStore } from '../../platform/outbox/outbox-store.ts';
import { createOutboxWorker } from '../../platform/outbox/outbox-worker.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { AccountClosing, Accounts } from '../auth/index.ts';
import type { Notify } from '../notifications/index.ts';
import { createAccounts } from './accounts/accounts.ts';
import { createAudience, type Audience, type AudienceRooms } from './sharing/audience.ts';
import { createAudienceStore } from './sharing/audience-store.ts';
import { createAudienceWatch, type AudienceWatch } from './sharing/audience-watch.ts';
import { createBlocks } from './safety/block-service.ts';
import { createBlockStore } from './safety/block-store.ts';
import type { Erasure, PersonalData } from './privacy/erasure.ts';
import { erasureJobs } from './privacy/erasure-jobs.ts';
import { createErasureLedgerStore } from './privacy/erasure-ledger-store.ts';
import { createErasureWatch } from './privacy/erasure-watch.ts';
import { createErasures, type Erasures } from './privacy/erasures.ts';
import { createFriendConnectionStore } from './friends/friend-connection-store.ts';
import { createFriendRequests } from './friends/friend-request-service.ts';
import { createFriendRequestStore } from './friends/friend-request-store.ts';
import { friendRetentionJob } from './friends/friend-retention-job.ts';
import { friendRoutes } from './friends/friend-routes.ts';
import {
  createFriendService,
  type FriendLive,
  type FriendService,
  type LiveViewer,
} from './friends/friend-service.ts';
import { createGhosts } from './sharing/ghost-service.ts';
import type { HideName } from './safety/hide-name.ts';
import { createInvites } from './friends/invite-service.ts';
import { createInviteStore } from './friends/invite-store.ts';
import {
  createUserSettingsCache,
  type UserSettingsCache,
  type SettingsChanged,
} from './accounts/user-settings-cache.ts';
import { createReports, type Reports } from './safety/report-service.ts';
import { createReportStore } from './safety/report-store.ts';
import { createSettingsChanges, type SettingsChanges } from './accounts/settings-changes.ts';
import { requireConsents, type PersonSettings } from './accounts/user.ts';
import { userRoutes } from './accounts/user-routes.ts';
import { createUserService } from './accounts/user-service.ts';
import { createUserStore } from './accounts/user-store.ts';

export type { PersonalData } from './privacy/erasure.ts';
export { orderFriendIndexes } from './friends/friend-indexes-migration.ts';
export type { AudienceRooms } from './sharing/audience.ts';
export type { FriendLive, LiveViewer } from './friends/friend-service.ts';
export { isProcessed, processingPurposes } from './accounts/user.ts';
export type { OpenReport, Verdict } from './safety/report-service.ts';
export type { PersonSettings } from './accounts/user.ts';
export type { PeoplePage } from './accounts/user-store.ts';

export interface Users extends Pick<UserSettingsCache, 'peek' | 'listPage' | 'listTimeZones'> {
  /** From a cache of seconds, at once where it is fresh. Throws `account-gone`. */
  settings: UserSettingsCache['get'];
  settingsOfMany: UserSettingsCache['getMany'];
  routes: Route[];
  jobs: Job[];
  accounts: Accounts;
  requireConsents: typeof requireConsents;
  changeSettings: SettingsChanges;
  friendsOf(userId: string): Promise<Friend[]>;
  /** One friend as `viewer` sees them now; undefined where they are no friends. */
  friendOf(viewer: string, friendId: string): Promise<Friend | undefined>;
  /** Puts a person's sockets of this process where their friends' levels put them. */
  placeSockets(userId: string): Promise<void>;
  /** Part of a transaction that changes whose puffs this person's sockets get; the watch of each process finds it. */
  moveAudience(userId: string, tx: ClientSession): Promise<void>;
  /** After that transaction: puts the sockets where they belong, here and by the bus elsewhere. */
  audienceMoved(userId: string): Promise<boolean>;
  /** Friends who are told of this person's puffs as they happen, each since when without a break. */
  liveViewersOf(userId: string): Promise<LiveViewer[]>;
  /** Keeps the sockets of this process where they belong, whichever process changes that. */
  audienceWatch: AudienceWatch;
  /** For the operator. */
  reports: Pick<Reports, 'listOpen' | 'review'>;
  /** Friends who let this person see their summary and who are on boards. */
  boardFriendsOf(userId: string): Promise<PersonSettings[]>;
  milestoneFriendsOf: FriendService['milestoneFriendsOf'];
  showsMilestones: FriendService['showsMilestones'];
  /** Those of these people whose account is not there. */
  findDeletedUsers(userIds: readonly string[]): Promise<readonly string[]>;
  /** Another process said so: the sockets here are put where they belong now. */
  audienceChangedElsewhere(message: unknown): void;
  /** Another process said so: what is known here of this person is read again. */
  settingsChangedElsewhere(message: unknown): void;
  ensureIndexes(): Promise<void>;
  /** Takes part in erasing people. */
  start(): void;
  /** Does what is due of the erasures now; it is looked for every 2 s anyway. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const AudienceChangedMessage = z.object({ userIds: z.array(z.string()) });
const SettingsChangedMessage = z.object({ userId: z.string(), settingsVersion: z.number() });

export const createUsers = (deps: {
  connection: Connection;
  clock: Clock;
  log: Logger;
  publicUrl: string;
  /** 32 bytes: keys the ledger of erasures. */
  masterKey: Buffer;
  /** auth's part in an erasure. */
  closing: () => AccountClosing;
  /** What the other services keep of people. */
  personalData: () => readonly PersonalData[];
  isKnownZone: (name: string) => boolean;
  live: FriendLive & AudienceRooms;
  /** Who of these people mutes all friends; notifications keeps it. */
  findMuteAll: (userIds: readonly string[]) => Promise<ReadonlyMap<string, MuteAll>>;
  notify: Notify;
  /** Takes a person's name out of what was told of them: everywhere, to one person, or of one friend request. */
  hideName: HideName;
  endCheers: (tx: ClientSession, one: string, other: string) => Promise<void>;
  summaries: (people: readonly PersonSettings[]) => Promise<ReadonlyMap<string, FriendSummary>>;
  /** Resolves when nothing of this person that was admitted before is under way in this process. */
  drainWrites: (userId: string) => Promise<void>;
  onProfileChanged: (person: PersonSettings, fields: readonly string[]) => Promise<void>;
  /** The other processes have to learn of it. */
  onSettingsChanged: (change: SettingsChanged) => void;
  /** Likewise: who hears of these people. */
  onAudienceChanged: (userIds: readonly string[]) => void;
}): Users => {
  const { connection, clock, log, isKnownZone, live, summaries } = deps;
  const store = createUserStore(connection);
  const audiences = createAudienceStore(connection);
  const requests = createFriendRequestStore(connection);
  const connections = createFriendConnectionStore(connection);
  const blocks = createBlockStore(connection);
  const invites = createInviteStore(connection);
  const reportStore = createReportStore(connection);
  const userSettings = createUserSettingsCache({ store, clock, onChanged: deps.onSettingsChanged });
  const { findMuteAll } = deps;
  const audience = createAudience({ connections, userSettings, findMuteAll, rooms: live, clock, log });
  /** What this process changes, the others hear of at once where there is a bus. */
  const announced: Audience = {
    place: audience.place,
    changed(userIds) {
      deps.onAudienceChanged(userIds);
      return audience.changed(userIds);
    },
  };
  const graph = {
    connection,
    users: store,
    connections,
    audiences,
    audience: announced,
    userSettings,
    live,
    endCheers: deps.endCheers,
    clock,
  };
  const friends = createFriendService({ ...graph, store: connections, summaries, findMuteAll });
  const friendRequests = createFriendRequests({
    ...graph,
    requests,
    blocks,
    friends,
    notify: deps.notify,
    hideName: deps.hideName,
  });
  const ghosts = createGhosts({ ...graph, store: audiences, friends, summaries });
  const reports = createReports({
    connection,
    users: store,
    reports: reportStore,
    userSettings,
    friends,
    hideName: deps.hideName,
    clock,
  });
  const service = createUserService({
    connection,
    store,
    audiences,
    userSettings,
    clock,
    isKnownZone,
    drainWrites: deps.drainWrites,
    onProfileChanged: deps.onProfileChanged,
    onConsentsChanged: friends.consentsChanged,
  });
  const own: PersonalData = {
    forgetUser: userSettings.evict,
    async eraseUser(userId) {
      let removed = 0;
      for (const owned of [requests, connections, blocks, invites, reportStore, store])
        removed += await owned.removeAll(userId);
      return removed;
    },
  };
  const ledger = createErasureLedgerStore(connection);
  const outbox = createOutboxStore<Erasure>(connection, 'erasures');
  const erasures: Erasures = createErasures({
    connection,
    users: store,
    connections,
    friends,
    outbox,
    ledger,
    closing: deps.closing,
    owners: () => [...deps.personalData(), own],
    drainWrites: deps.drainWrites,
    onBegun: () => {
      eraser.kick();
    },
    masterKey: deps.masterKey,
    clock,
    log,
  });
  const eraser = createOutboxWorker({
    name: 'erasures',
    store: outbox,
    handle: erasures.sweep,
    giveUpAfterMs: Infinity,
    clock,
    log,
  });
  const watch = createErasureWatch({ check: erasures.forgetErased, log });
  return {
    routes: [
      ...userRoutes({ users: service, ghosts, erasures }),
      ...friendRoutes({
        friends,
        requests: friendRequests,
        invites: createInvites({
          ...graph,
          invites,
          blocks,
          friendshipCreation: friendRequests,
          publicUrl: deps.publicUrl,
        }),
        blocks: createBlocks({ ...graph, blocks, requests, hideName: deps.hideName }),
        reports,
      }),
    ],
    jobs: [
      ...erasureJobs({ ledger, outbox, clock }),
      friendRetentionJob({ requests, invites, reports: reportStore }),
    ],
    accounts: createAccounts({ store, userSettings, erasures, consents: service, clock, isKnownZone }),
    settings: userSettings.get,
    peek: userSettings.peek,
    settingsOfMany: userSettings.getMany,
    listPage: userSettings.listPage,
    listTimeZones: userSettings.listTimeZones,
    requireConsents,
    changeSettings: createSettingsChanges({ connection, store, userSettings }),
    friendsOf: friends.list,
    async friendOf(viewer, friendId) {
      const friendship = await connections.find(viewer, friendId);
      return friendship && friends.view(friendship, viewer);
    },
    placeSockets: (userId) => audience.place([userId]),
    moveAudience: (userId, tx) => audiences.move([userId], tx),
    audienceMoved: (userId) => announced.changed([userId]),
    liveViewersOf: friends.liveViewersOf,
    boardFriendsOf: friends.boardFriendsOf,
    milestoneFriendsOf: friends.milestoneFriendsOf,
    showsMilestones: friends.showsMilestones,
    audienceWatch: createAudienceWatch({
      store: audiences,
      audience,
      rooms: live,
      endExpiredGhosts: ghosts.endExpired,
      log,
    }),
    reports,
    findDeletedUsers: store.findDeletedUsers,
    audienceChangedElsewhere(message) {
      const parsed = AudienceChangedMessage.safeParse(message);
      // Where this fails nobody is told until the watch has looked.
      if (parsed.success) void audience.changed(parsed.data.userIds);
    },
    settingsChangedElsewhere(message) {
      const parsed = SettingsChangedMessage.safeParse(message);
      if (parsed.success) userSettings.markStale(parsed.data);
    },
    async ensureIndexes() {
      for (const owned of [store, requests, connections, blocks, invites, reportStore, outbox, ledger])
        await owned.ensureIndexes();
    },
    start() {
      watch.start();
      eraser.start();
    },
    settle: eraser.run,
    async stop() {
      await watch.stop();
      await eraser.stop();
    },
  };
};
