import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Friend, ShareLevel } from '@pufftrack/contract';
import {
  createFriendship,
  startTestApp,
  type Person,
  type TestApp,
  type RecordedSocket,
  recordEvents,
} from '../src/index.ts';

const levels: readonly ShareLevel[] = ['none', 'milestones', 'summary', 'live'];
const yesNo = [false, true] as const;
const relations = ['friend', 'asked', 'stranger', 'blocked'] as const;
type Relation = (typeof relations)[number];

/** Every state that decides what a friend receives of the owner. */
const states = levels.flatMap((level) =>
  yesNo.flatMap((ghost) =>
    yesNo.flatMap((muted) => yesNo.map((consent) => ({ level, ghost, muted, consent }))),
  ),
);

const friendKeys = ['muted', 'name', 'shareLevel', 'since', 'summary', 'theirShareLevel', 'userId'];
const summaryKeys = [
  'average7',
  'changeVsPreviousWeek',
  'dailyLimit',
  'streakDays',
  'todayCount',
  'underLimitDays',
];
const aboutFriends = ['friendPuff', 'friendPuffRetracted', 'friendUpdated', 'friendRemoved'] as const;
const keysOf = (value: object | null | undefined) => (value ? Object.keys(value).sort() : value);

/**
 * What each relation may see of the owner, as the exact set of keys of every payload, over REST and sockets
 * (domain.md D10).
 */
describe('what other users see of an account', () => {
  let app: TestApp;
  let owner: Person;
  let viewers: Record<Relation, Person>;
  let sockets: Record<Relation, RecordedSocket>;
  let atOwner: RecordedSocket;

  beforeAll(async () => {
    app = await startTestApp();
    owner = await app.person('owner');
    viewers = {
      friend: await app.person('friend'),
      asked: await app.person('asked'),
      stranger: await app.person('stranger'),
      blocked: await app.person('blocked'),
    };
    await createFriendship(owner, viewers.friend);
    await createFriendship(owner, viewers.blocked);
    await owner.client.call('blockPerson', { body: { userId: viewers.blocked.userId } });
    const { friendCode } = await owner.client.call('getMe');
    await viewers.asked.client.call('requestFriend', { body: { friendCode } });
    const connected = await Promise.all(relations.map(async (who) => [who, await viewers[who].connect()]));
    sockets = Object.fromEntries(connected) as Record<Relation, RecordedSocket>;
    atOwner = await (await owner.signInAgain()).connect();
  });
  afterAll(() => app.close());

  const put = async ({ level, ghost, muted, consent }: (typeof states)[number]) => {
    // Ghost mode keeps the summary of its beginning, so it begins last.
    await owner.client.call('deleteGhost');
    const versions = await owner.client.call('getLegalVersions');
    const purpose = 'friends-sharing';
    await owner.client.call('putConsents', {
      body: { consents: [{ purpose, version: versions[purpose], granted: consent }] },
    });
    await owner.client.call('patchFriend', {
      params: { userId: viewers.friend.userId },
      body: { shareLevel: level },
    });
    await viewers.friend.client.call('patchFriend', {
      params: { userId: owner.userId },
      body: { muted },
    });
    if (ghost) await owner.client.call('putGhost', { body: { until: null } });
  };
  /** An ack arrives after every event that was sent to that socket earlier. */
  const caughtUp = () => Promise.all(relations.map((who) => sockets[who].undo({ id: randomUUID() })));
  const ofOwner = (friends: readonly Friend[]) => friends.find(({ userId }) => userId === owner.userId);

  it.each(states)(
    'friends see only what is shared: level $level, ghost $ghost, muted $muted, consent $consent',
    async (state) => {
      const { level, ghost, muted, consent } = state;
      await put(state);
      await caughtUp();
      const before = Object.fromEntries(
        relations.map((who) => [who, aboutFriends.map((event) => sockets[who].received(event).length)]),
      );
      const id = randomUUID();
      await owner.client.call('recordPuff', { body: { id } });
      await owner.client.call('deletePuff', { params: { id } });
      await caughtUp();

      const heard = consent && level === 'live' && !ghost && !muted;
      for (const who of relations) {
        const delivered = aboutFriends.map((event, index) =>
          sockets[who].received(event).slice(before[who]?.[index]).map(keysOf),
        );
        const puffKeys = ['count', 'dailyLimit', 'friendId', 'friendName', 'todayCount'];
        expect([who, delivered]).toEqual([
          who,
          who === 'friend' && heard
            ? [[puffKeys], [['count', 'friendId', 'todayCount']], [], []]
            : [[], [], [], []],
        ]);
      }

      const seen = consent && (level === 'summary' || level === 'live');
      for (const who of relations) {
        const { client } = viewers[who];
        const { friends } = await client.call('listFriends');
        const friend = ofOwner(friends);
        const shown = friend && {
          keys: keysOf(friend),
          summary: keysOf(friend.summary),
          name: friend.name,
          level: friend.theirShareLevel,
        };
        const expected = {
          keys: [...friendKeys, ...(seen && ghost ? ['resting'] : [])].sort(),
          summary: seen ? summaryKeys : null,
          name: 'Owner',
          level: consent ? level : 'none',
        };
        expect([who, shown]).toEqual([who, who === 'friend' ? expected : undefined]);
        const socket = recordEvents(client.connect());
        expect(ofOwner((await socket.next('ready')).friends)).toEqual(friend);
        socket.close();
        const board = await client.call('getLeaderboard');
        const isListed = board.entries.some(({ userId }) => userId === owner.userId);
        expect([who, isListed]).toEqual([who, who === 'friend' && seen && !ghost]);
        const { sent, received } = await client.call('listFriendRequests');
        expect(received).toEqual([]);
        expect(sent.map(keysOf)).toEqual(
          who === 'asked' ? [['createdAt', 'expiresAt', 'friendCode', 'id']] : [],
        );
      }
    },
  );

  it.each(states)(
    'the owner sees everything: level $level, ghost $ghost, muted $muted, consent $consent',
    async (state) => {
      await put(state);
      const { revision } = await owner.client.call('getStats');
      const { puff } = await owner.client.call('recordPuff');
      expect(await atOwner.next('puffRecorded', { where: (one) => one.puff.id === puff?.id })).toEqual({
        puff,
      });
      expect((await owner.client.call('getStats')).revision).toBe(revision + 1);
      const me = await owner.client.call('getMe');
      expect(keysOf(me.ghost)).toEqual(state.ghost ? ['since', 'until'] : undefined);
      const { received } = await owner.client.call('listFriendRequests');
      expect(received.map(keysOf)).toEqual([['createdAt', 'from', 'id']]);
      expect(received.map(({ from }) => keysOf(from))).toEqual([['name', 'userId']]);
      const { blocks } = await owner.client.call('listBlocks');
      expect(blocks.map(keysOf)).toEqual([['name', 'since', 'userId']]);
    },
  );

  it('a deleted account sees nothing, and other users see nothing of it', async () => {
    const gone = await app.person('gone');
    await createFriendship(owner, gone);
    const socket = await gone.connect();
    const headers = { authorization: `Bearer ${gone.client.accessToken() ?? ''}` };
    await gone.client.deleteAccount();
    await app.drain();
    expect(await socket.next('sessionEnded')).toEqual({ reason: 'account-gone' });
    await put({ level: 'live', ghost: false, muted: false, consent: true });
    await owner.client.call('recordPuff', { body: { id: randomUUID() } });
    await caughtUp();
    expect(socket.received('friendPuff')).toEqual([]);
    for (const path of [
      '/friends',
      '/friends/leaderboard',
      '/friends/requests',
      '/milestones',
      '/notifications',
    ]) {
      const answer = await fetch(`${app.url}${path}`, { headers });
      expect([path, answer.status, await answer.json()]).toMatchObject([path, 401, { code: 'account-gone' }]);
      const seen = await fetch(`${app.url}${path}`, {
        headers: { authorization: `Bearer ${owner.client.accessToken() ?? ''}` },
      });
      // Earlier notifications stay, without the name.
      expect([path, await seen.text()]).toEqual([
        path,
        expect.not.stringMatching(new RegExp(`Gone|${gone.userId}`)),
      ]);
    }
  });
});
