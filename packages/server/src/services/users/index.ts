/**
 * users: owns `User`, consents, friend requests and `FriendConnection`; the only code that writes them or reads them.
 * It says who may see what of whom, never what anybody's numbers are.
 */
import type { Friend, FriendSummary } from '@pufftrack/contract';
import type { Connection } from 'mongoose';
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Accounts } from '../auth/index.ts';
import { createAccounts } from './accounts.ts';
import { createFriendConnectionStore } from './friend-connection-store.ts';
import { createFriendRequests } from './friend-request-service.ts';
import { createFriendRequestStore } from './friend-request-store.ts';
import { friendRoutes } from './friend-routes.ts';
import { createFriendService, type FriendLive } from './friend-service.ts';
import { createPeople, type People, type SettingsChanged } from './people.ts';
import { createSettingsChanges, type SettingsChanges } from './settings-changes.ts';
import { requireConsents, type PersonSettings } from './user.ts';
import { userRoutes } from './user-routes.ts';
import { createUserService } from './user-service.ts';
import { createUserStore } from './user-store.ts';

export { orderFriendIndexes } from './friend-indexes-migration.ts';
export type { FriendLive } from './friend-service.ts';
export type { PersonSettings } from './user.ts';
export type { PeoplePage } from './user-store.ts';

export interface Users extends Pick<People, 'settings' | 'settingsOfMany' | 'listPage' | 'listTimeZones'> {
  routes: Route[];
  accounts: Accounts;
  requireConsents: typeof requireConsents;
  changeSettings: SettingsChanges;
  friendsOf(userId: string): Promise<Friend[]>;
  /** Whose puffs this person is told of as they happen. */
  liveFriendsOf(userId: string): Promise<readonly string[]>;
  /** Friends who let this person see their summary and who are on boards. */
  boardFriendsOf(userId: string): Promise<readonly string[]>;
  /** Another process said so: what is known here of this person is read again. */
  settingsChangedElsewhere(message: unknown): void;
  ensureIndexes(): Promise<void>;
}

const SettingsChangedMessage = z.object({ userId: z.string(), settingsVersion: z.number() });

export const createUsers = (deps: {
  connection: Connection;
  clock: Clock;
  isKnownZone: (name: string) => boolean;
  live: FriendLive;
  summaries: (people: readonly PersonSettings[]) => Promise<ReadonlyMap<string, FriendSummary>>;
  onProfileChanged: (person: PersonSettings, fields: readonly string[]) => Promise<void>;
  /** The other processes have to learn of it. */
  onSettingsChanged: (change: SettingsChanged) => void;
}): Users => {
  const { connection, clock, isKnownZone, live, summaries } = deps;
  const store = createUserStore(connection);
  const requests = createFriendRequestStore(connection);
  const connections = createFriendConnectionStore(connection);
  const people = createPeople({ store, clock, onChanged: deps.onSettingsChanged });
  const friends = createFriendService({ store: connections, people, live, summaries });
  const friendRequests = createFriendRequests({
    connection,
    users: store,
    requests,
    connections,
    friends,
    people,
    live,
    clock,
  });
  const service = createUserService({
    connection,
    store,
    people,
    clock,
    isKnownZone,
    onProfileChanged: deps.onProfileChanged,
    onConsentsChanged: friends.consentsChanged,
  });
  return {
    routes: [...userRoutes(service), ...friendRoutes(friends, friendRequests)],
    accounts: createAccounts({ store, people, clock, isKnownZone }),
    settings: people.settings,
    settingsOfMany: people.settingsOfMany,
    listPage: people.listPage,
    listTimeZones: people.listTimeZones,
    requireConsents,
    changeSettings: createSettingsChanges({ connection, store, people }),
    friendsOf: friends.list,
    liveFriendsOf: friends.liveFriendsOf,
    boardFriendsOf: friends.boardFriendsOf,
    settingsChangedElsewhere(message) {
      const parsed = SettingsChangedMessage.safeParse(message);
      if (parsed.success) people.outdate(parsed.data);
    },
    async ensureIndexes() {
      for (const owned of [store, requests, connections]) await owned.ensureIndexes();
    },
  };
};
