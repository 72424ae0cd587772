import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { purposes, type ShareLevel } from '@pufftrack/contract';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { newId } from '../../../platform/ids.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { createAudience, type Audience } from './audience.ts';
import { createAudienceStore, type AudienceStore } from './audience-store.ts';
import { createAudiencePoller, type AudiencePoller } from './audience-poller.ts';
import { createFriendConnectionStore, type FriendConnectionStore } from './friend-connection-store.ts';
import { newSide } from './friendship.ts';
import { legalVersions } from '../consents/legal-versions.ts';
import { createUserSettingsCache } from '../accounts/user-settings-cache.ts';
import { defaultProfile } from '../accounts/user.ts';
import { createUserStore, type UserStore } from '../accounts/user-store.ts';

const now = Date.parse('2026-10-21T10:00:00Z');
const clock = { now: () => now };
const log = createLogger({ level: 'silent' });
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the audiences of the sockets of one process', () => {
  let database: TestDatabase;
  let users: UserStore;
  let store: AudienceStore;
  let connections: FriendConnectionStore;
  let audience: Audience;
  let watch: AudiencePoller;
  /** Who receives whose puffs: `viewer<sharer`. */
  let placed: Set<string>;
  let open: string[];
  let muteAll: string[];
  let isDatabaseAway: boolean;
  let queries: number;

  beforeEach(async () => {
    database = await openTestDatabase();
    const { connection } = database;
    users = createUserStore(connection);
    store = createAudienceStore(connection);
    connections = createFriendConnectionStore(connection);
    await users.ensureIndexes();
    await connections.ensureIndexes();
    [placed, open, muteAll, isDatabaseAway, queries] = [new Set(), [], [], false, 0];
    const forget = (keep: (viewer: string, sharer: string) => boolean) => {
      for (const pair of [...placed]) {
        const [viewer = '', sharer = ''] = pair.split('<');
        if (!keep(viewer, sharer)) placed.delete(pair);
      }
    };
    const rooms = {
      setAudience(userId: string, viewers: ReadonlySet<string>) {
        forget((_viewer, sharer) => sharer !== userId);
        for (const viewer of viewers) if (open.includes(viewer)) placed.add(`${viewer}<${userId}`);
      },
      setSources(viewer: string, userIds: ReadonlySet<string>) {
        forget((held) => held !== viewer);
        for (const sharer of userIds) placed.add(`${viewer}<${sharer}`);
      },
      connectedUsers: () => open,
    };
    audience = createAudience({
      connections: {
        listOfAny(people) {
          queries += 1;
          return isDatabaseAway ? Promise.reject(new Error('away')) : connections.listOfAny(people);
        },
      },
      userSettings: createUserSettingsCache({
        users,
        clock,
        announcements: { settingsChanged: () => undefined },
      }),
      muteSettings: {
        findMuteAll: () =>
          Promise.resolve(new Map(muteAll.map((userId) => [userId, { muteAll: true, since: now }]))),
      },
      rooms,
      clock,
      log,
    });
    const endExpiredGhosts = () => Promise.resolve();
    watch = createAudiencePoller({ store, audience, rooms, endExpiredGhosts, log, pollsPerRecheck: 2 });
  });
  afterEach(() => database.drop());

  const person = async (): Promise<string> => {
    const userId = newId();
    await inTransaction(database.connection, (tx) =>
      users.insert(
        {
          ...defaultProfile,
          userId,
          email: null,
          timeZones: [],
          createdAt: now,
          lastLoginAt: now,
          friendCode: userId,
          ageBand: '18+',
          settingsVersion: 1,
          consents: purposes.map((purpose) => ({
            purpose,
            version: legalVersions[purpose],
            granted: true,
            at: now,
          })),
          ghost: null,
          sharesSince: now,
          nameHidden: false,
        },
        tx,
      ),
    );
    return userId;
  };
  const createFriendship = (one: string, other: string) =>
    inTransaction(database.connection, async (tx) => {
      await connections.open(
        { since: now, sides: [newSide(one, 'live', now), newSide(other, 'none', now)] },
        tx,
      );
      await store.markChanged([one, other], tx);
    });
  /** As another process does it, without an announcement. */
  const setLevel = (one: string, other: string, shareLevel: ShareLevel, moves = true) =>
    inTransaction(database.connection, async (tx) => {
      await connections.change(one, other, { shareLevel, now }, tx);
      if (moves) await store.markChanged([one], tx);
    });

  it('follow each change that another process makes, in both directions', async () => {
    const [one, other] = [await person(), await person()];
    open = [other];
    await createFriendship(one, other);
    await watch.check();
    expect([...placed]).toEqual([`${other}<${one}`]);
    await setLevel(one, other, 'summary');
    await watch.check();
    expect([...placed]).toEqual([]);
    await setLevel(one, other, 'live');
    await watch.check();
    expect([...placed]).toEqual([`${other}<${one}`]);
  });

  it('are empty for a viewer who mutes all friends, whichever process changes it', async () => {
    const [one, other] = [await person(), await person()];
    open = [one, other];
    await createFriendship(one, other);
    await setLevel(other, one, 'live');
    await watch.check();
    expect([...placed].sort()).toEqual([`${other}<${one}`, `${one}<${other}`].sort());
    for (const muted of [[other], []]) {
      muteAll = muted;
      await inTransaction(database.connection, (tx) => store.markChanged([other], tx));
      await watch.check();
      expect(placed.has(`${other}<${one}`)).toBe(muted.length === 0);
      expect(placed.has(`${one}<${other}`)).toBe(true);
    }
  });

  it('cost no query without a change, except for the recheck', async () => {
    const [one, other] = [await person(), await person()];
    open = [other];
    await createFriendship(one, other);
    for (let round = 0; round < 2; round++) await watch.check();
    queries = 0;
    for (let round = 0; round < 4; round++) await watch.check();
    // One user with a socket, in each recheck: no change is applied twice.
    expect(queries).toBe(4);
  });

  it('are rechecked in turn, so that a change without a version is found (WS-2)', async () => {
    const one = await person();
    const viewers = await Promise.all(range(5).map(() => person()));
    for (const viewer of viewers) await createFriendship(one, viewer);
    open = viewers;
    await audience.join(viewers);
    await watch.check();
    expect(placed.size).toBe(5);
    for (const viewer of viewers) await setLevel(one, viewer, 'none', false);
    for (let round = 0; round < 4; round++) await watch.check();
    expect(placed.size).toBe(0);
  });

  it('are empty while the database does not answer, and right again after it', async () => {
    const [one, other] = [await person(), await person()];
    open = [other];
    await createFriendship(one, other);
    await audience.join([other]);
    expect(placed.size).toBe(1);
    isDatabaseAway = true;
    await setLevel(one, other, 'live');
    expect(await audience.refresh([one])).toBe(false);
    expect(placed.size).toBe(0);
    await expect(audience.join([other])).rejects.toThrow('away');
    await watch.check().catch(() => undefined);
    isDatabaseAway = false;
    await watch.check();
    expect(placed.size).toBe(1);
  });

  it('of many sockets that open at once are read in one batch', async () => {
    const one = await person();
    const viewers = await Promise.all(range(20).map(() => person()));
    for (const viewer of viewers) await createFriendship(one, viewer);
    open = viewers;
    queries = 0;
    await Promise.all(viewers.map((viewer) => audience.join([viewer])));
    expect(placed.size).toBe(20);
    expect(queries).toBe(2);
  });
});
