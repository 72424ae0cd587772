/**
 * users: owns accounts, consents, friendships, friend requests, invites, blocks, reports and erasures; the only code that
 * reads or writes them. It decides who may see what of whom; statistics belong to analytics.
 */
import type { Connection } from 'mongoose';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Job } from '../../platform/scheduler/job.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import { createAccountsRoom, createUserBase, type AccountsRoom, type UserBase } from './accounts/index.ts';
import type { UserListingStore } from './accounts/user-listing-store.ts';
import type { UserSettingsCache } from './accounts/user-settings-cache.ts';
import { requireConsents } from './consents/consent.ts';
import { friendRetentionJob } from './friend-retention-job.ts';
import type { FriendReads } from './friends/friend-service.ts';
import { createFriendsRoom } from './friends/index.ts';
import type { PersonalData, UsersPorts } from './ports.ts';
import { createPrivacyRoom, type PrivacyRoom } from './privacy/index.ts';
import { createBlockStore } from './safety/block-store.ts';
import { createSafetyRoom } from './safety/index.ts';
import type { Reports } from './safety/report-service.ts';
import { createSharingRoom, type LiveAudiences } from './sharing/index.ts';

export type { UserPage } from './accounts/user-listing-store.ts';
export type { UserSettings } from './accounts/user.ts';
export { orderFriendIndexes } from './friends/friend-indexes-migration.ts';
export type { LiveViewer } from './friends/friend-service.ts';
export type { AudienceRooms, LiveEvents, PersonalData } from './ports.ts';
export type { OpenReport, Verdict } from './safety/report-service.ts';

export interface Users
  extends
    UserListingStore,
    Pick<UserBase, 'onRemoteSettingsChange'>,
    Pick<AccountsRoom, 'accounts' | 'changeSettings'>,
    FriendReads,
    LiveAudiences,
    Pick<PrivacyRoom, 'start' | 'drain' | 'stop' | 'ensureIndexes'> {
  routes: Route[];
  jobs: Job[];
  settings: UserSettingsCache['get'];
  settingsOfMany: UserSettingsCache['getMany'];
  peek: UserSettingsCache['peek'];
  requireConsents: typeof requireConsents;
  /** For the operator. */
  reports: Pick<Reports, 'listOpen' | 'review'>;
}

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
  const { users, userSettings } = base;
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
    ...base.listing,
    ...friends.reads,
    ...sharing.liveAudiences,
    ...privacy,
    routes: rooms.flatMap(({ routes }) => routes),
    jobs: [...privacy.jobs, friendRetentionJob({ requests, invites, reports: safety.reportStore })],
    accounts: accounts.accounts,
    changeSettings: accounts.changeSettings,
    settings: userSettings.get,
    settingsOfMany: userSettings.getMany,
    peek: userSettings.peek,
    onRemoteSettingsChange: base.onRemoteSettingsChange,
    requireConsents,
    reports: safety.reports,
    async ensureIndexes() {
      for (const store of stores) await store.ensureIndexes();
      await privacy.ensureIndexes();
    },
  };
};
