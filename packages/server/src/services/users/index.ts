/**
 * users: owns accounts, consents, friendships, friend requests, invites, blocks, reports and erasures; the only code that
 * reads or writes them. It decides who may see what of whom; statistics belong to analytics.
 */
import type { Friend } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Accounts } from '../auth/index.ts';
import { createAccountsRoom, createUserBase, type AccountsRoom, type UserBase } from './accounts/index.ts';
import type { UserSettingsCache } from './accounts/user-settings-cache.ts';
import { requireConsents } from './consents/consent.ts';
import { friendRetentionJob } from './friends/friend-retention-job.ts';
import type { FriendService } from './friends/friend-service.ts';
import { createFriendsRoom } from './friends/index.ts';
import type { PersonalData, UsersPorts } from './ports.ts';
import { createPrivacyRoom, type PrivacyRoom } from './privacy/index.ts';
import { createBlockStore } from './safety/block-store.ts';
import { createSafetyRoom } from './safety/index.ts';
import type { Reports } from './safety/report-service.ts';
import { createSharingRoom, type SharingRoom } from './sharing/index.ts';

export type { PeoplePage } from './accounts/user-listing-store.ts';
export type { PersonSettings } from './accounts/user.ts';
export { isProcessed, processingPurposes } from './consents/consent.ts';
export { orderFriendIndexes } from './friends/friend-indexes-migration.ts';
export type { LiveViewer } from './friends/friend-service.ts';
export type { AudienceRooms, LiveEvents, PersonalData } from './ports.ts';
export type { OpenReport, Verdict } from './safety/report-service.ts';

type FriendReads = 'liveViewersOf' | 'boardFriendsOf' | 'milestoneFriendsOf' | 'showsMilestones';
type Audiences =
  'placeSockets' | 'moveAudience' | 'audienceMoved' | 'audienceChangedElsewhere' | 'audiencePoller';

export interface Users
  extends
    Pick<UserBase['listing'], 'listPage' | 'listTimeZones' | 'findDeletedUsers'>,
    Pick<AccountsRoom, 'accounts' | 'changeSettings'>,
    Pick<FriendService, FriendReads>,
    Pick<SharingRoom, Audiences>,
    Pick<PrivacyRoom, 'start' | 'runDueErasures' | 'stop' | 'ensureIndexes'> {
  routes: Route[];
  jobs: Job[];
  accounts: Accounts;
  settings: UserSettingsCache['get'];
  settingsOfMany: UserSettingsCache['getMany'];
  peek: UserSettingsCache['peek'];
  requireConsents: typeof requireConsents;
  friendsOf(userId: string): Promise<Friend[]>;
  /** One friend as `viewer` may see them now; undefined where the two are not friends. */
  friendOf(viewer: string, friendId: string): Promise<Friend | undefined>;
  /** For the operator. */
  reports: Pick<Reports, 'listOpen' | 'review'>;
  /** A change announced by another process. */
  settingsChangedElsewhere(message: unknown): void;
}

const SettingsChangedMessage = z.object({ userId: z.string(), settingsVersion: z.number() });

export interface UsersDeps extends UsersPorts {
  connection: Connection;
  publicUrl: string;
  /** 32 bytes: keys the erasure ledger. */
  masterKey: Buffer;
  isKnownZone: (name: string) => boolean;
  clock: Clock;
  log: Logger;
}

export const createUsers = (deps: UsersDeps): Users => {
  const base = { ...deps, ...createUserBase(deps) };
  const { users, listing, userSettings } = base;
  const sharing = createSharingRoom({
    ...base,
    refreshForFriends: (...change) => friendsRoom.friends.refreshForFriends(...change),
  });
  const { connections } = sharing;
  const blocks = createBlockStore(deps.connection);
  const friendsRoom = createFriendsRoom({ ...base, ...sharing, blocks });
  const { friends, requests, invites } = friendsRoom;
  const safety = createSafetyRoom({ ...base, ...sharing, ...friendsRoom, blocks });
  const stores = [requests, connections, blocks, invites, safety.reportStore, users];
  const ownData: PersonalData = {
    forgetUser: userSettings.evict,
    async eraseUser(userId) {
      let removed = 0;
      for (const store of stores) removed += await store.removeAll(userId);
      return removed;
    },
  };
  const owners = () => [...deps.personalDataOwners.list(), ownData];
  const privacy = createPrivacyRoom({ ...base, connections, friends, owners });
  const accounts = createAccountsRoom({
    ...base,
    markAudienceChanged: sharing.audiences.markChanged,
    onConsentsChanged: friends.consentsChanged,
    async eraseAccount(userId, log) {
      await privacy.erasures.begin(userId, { log });
    },
  });
  const rooms = [accounts, sharing, privacy, friendsRoom, safety];
  return {
    ...listing,
    ...privacy,
    accounts: accounts.accounts,
    changeSettings: accounts.changeSettings,
    placeSockets: sharing.placeSockets,
    moveAudience: sharing.moveAudience,
    audienceMoved: sharing.audienceMoved,
    audienceChangedElsewhere: sharing.audienceChangedElsewhere,
    audiencePoller: sharing.audiencePoller,
    liveViewersOf: friends.liveViewersOf,
    boardFriendsOf: friends.boardFriendsOf,
    milestoneFriendsOf: friends.milestoneFriendsOf,
    showsMilestones: friends.showsMilestones,
    routes: rooms.flatMap(({ routes }) => routes),
    jobs: [...privacy.jobs, friendRetentionJob({ requests, invites, reports: safety.reportStore })],
    settings: userSettings.get,
    settingsOfMany: userSettings.getMany,
    peek: userSettings.peek,
    requireConsents,
    friendsOf: friends.list,
    async friendOf(viewer, friendId) {
      const friendship = await connections.find(viewer, friendId);
      return friendship && friends.view(friendship, viewer);
    },
    reports: safety.reports,
    settingsChangedElsewhere(message) {
      const parsed = SettingsChangedMessage.safeParse(message);
      if (parsed.success) userSettings.markStale(parsed.data);
    },
    async ensureIndexes() {
      for (const store of stores) await store.ensureIndexes();
      await privacy.ensureIndexes();
    },
  };
};
