// @not-split: runs two processes with every target
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { MongoClient } from 'mongodb';
import { createFriendship, type Person, type TestApp } from '../src/index.ts';
import { manyFriends } from './many-people.ts';
import { startTwoProcesses, type TwoProcesses } from './two-processes.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

interface Twice {
  readonly userId: string;
  /** A device connected to each of two processes. */
  readonly phones: readonly [Person, Person];
}

describe('concurrent changes of the friend graph by two processes', () => {
  let processes: TwoProcesses;
  let here: TestApp;
  let there: TestApp;
  let mongo: MongoClient;

  beforeAll(async () => {
    processes = await startTwoProcesses();
    ({ here, there, mongo } = processes);
  });
  afterAll(() => processes.close());

  const twice = async (name: string): Promise<Twice> => {
    const unique = `${name} ${randomUUID()}`;
    const first = await here.person(unique);
    return { userId: first.userId, phones: [first, await there.person(unique, { deviceId: 'tablet' })] };
  };
  const ask = async (from: Person, to: Person) => {
    const { friendCode } = await to.client.call('getMe');
    await from.client.call('requestFriend', { body: { friendCode } });
  };
  const requestTo = async ({ phones: [{ client }] }: Twice) =>
    (await client.call('listFriendRequests')).received[0]?.id ?? '';
  /** `ok`, or the status of the rejected call. */
  const outcome = (call: Promise<unknown>) =>
    call.then(
      () => 'ok' as const,
      (error: unknown) => (error as { status?: number }).status,
    );
  const friendships = (one: Twice, other: Twice) =>
    mongo
      .db()
      .collection('friendconnections')
      .countDocuments({ people: [one.userId, other.userId].sort() });
  const requestsOf = (one: Twice) =>
    mongo.db().collection('friendrequests').find({ from: one.userId }).toArray();

  it('fifty concurrent accepts create one friendship', async () => {
    const [ann, ben] = [await twice('ann'), await twice('ben')];
    await ask(ann.phones[0], ben.phones[0]);
    const requestId = await requestTo(ben);
    const outcomes = await Promise.all(
      range(50).map((index) =>
        outcome(ben.phones[index % 2]!.client.call('acceptFriend', { body: { requestId } })),
      ),
    );
    // Under load a call may be answered 503 and retried; no other error is allowed.
    expect(outcomes.filter((each) => each !== 'ok' && each !== 503)).toEqual([]);
    expect(outcomes).toContain('ok');
    expect(await friendships(ann, ben)).toBe(1);
    expect(await requestsOf(ann)).toMatchObject([{ state: 'accepted' }]);
  });

  it('of a concurrent accept and cancel, one takes effect', async () => {
    for (let round = 0; round < 6; round++) {
      const [cleo, dan] = [await twice('cleo'), await twice('dan')];
      await ask(cleo.phones[0], dan.phones[0]);
      const requestId = await requestTo(dan);
      const [accepted, cancelled] = await Promise.all([
        outcome(dan.phones[0].client.call('acceptFriend', { body: { requestId } })),
        outcome(cleo.phones[1].client.call('cancelFriendRequest', { params: { id: requestId } })),
      ]);
      expect([accepted, cancelled].sort()).toEqual([404, 'ok']);
      expect(await friendships(cleo, dan)).toBe(accepted === 'ok' ? 1 : 0);
      expect(await requestsOf(cleo)).toMatchObject([{ state: accepted === 'ok' ? 'accepted' : 'cancelled' }]);
    }
  });

  it('a concurrent accept and block leave no friendship', async () => {
    for (const blocker of [0, 1, 0, 1]) {
      const [eve, fay] = [await twice('eve'), await twice('fay')];
      const [by, whom] = blocker === 0 ? [eve, fay] : [fay, eve];
      await ask(eve.phones[0], fay.phones[0]);
      const requestId = await requestTo(fay);
      const [accepted, blocked] = await Promise.all([
        outcome(fay.phones[0].client.call('acceptFriend', { body: { requestId } })),
        outcome(by.phones[1].client.call('blockPerson', { body: { userId: whom.userId } })),
      ]);
      expect(blocked).toBe('ok');
      expect(['ok', 404]).toContain(accepted);
      expect(await friendships(eve, fay)).toBe(0);
      expect(await outcome(fay.phones[0].client.call('acceptFriend', { body: { requestId } }))).toBe(404);
    }
  });

  it('crossing friend requests create a friendship and leave no request open', async () => {
    for (let round = 0; round < 4; round++) {
      const [gus, hal] = [await twice('gus'), await twice('hal')];
      await Promise.all([ask(gus.phones[0], hal.phones[0]), ask(hal.phones[1], gus.phones[1])]);
      expect(await friendships(gus, hal)).toBe(1);
      for (const person of [gus, hal])
        expect(await requestsOf(person)).toMatchObject([{ state: 'accepted' }]);
    }
  });

  it('one invite accepted by two users creates one friendship', async () => {
    for (let round = 0; round < 3; round++) {
      const [ivy, jim, kay] = [await twice('ivy'), await twice('jim'), await twice('kay')];
      const { token } = await ivy.phones[0].client.call('createInvite');
      const outcomes = await Promise.all(
        [jim.phones[0], kay.phones[1]].map(({ client }) =>
          outcome(client.call('acceptInvite', { body: { token } })),
        ),
      );
      expect([...outcomes].sort()).toEqual([404, 'ok']);
      expect([await friendships(ivy, jim), await friendships(ivy, kay)]).toEqual(
        outcomes.map((each) => (each === 'ok' ? 1 : 0)),
      );
      const used = await mongo.db().collection('friendinvites').findOne({ inviter: ivy.userId });
      expect(used?.['usedBy']).toBe(outcomes[0] === 'ok' ? jim.userId : kay.userId);
    }
  });

  it('the 200th place accepted by two users goes to one of them', async () => {
    const [lea, max, ned] = [await twice('lea'), await twice('max'), await twice('ned')];
    await manyFriends(mongo.db(), lea.userId, 199);
    for (const other of [max, ned]) await ask(other.phones[0], lea.phones[0]);
    const { received } = await lea.phones[0].client.call('listFriendRequests');
    const outcomes = await Promise.all(
      received.map(({ id }, index) =>
        outcome(lea.phones[index % 2]!.client.call('acceptFriend', { body: { requestId: id } })),
      ),
    );
    expect([...outcomes].sort()).toEqual([409, 'ok']);
    const count = await mongo.db().collection('friendconnections').countDocuments({ people: lea.userId });
    expect(count).toBe(200);
  });

  it('share levels that both friends change at once are both stored', async () => {
    const [oda, pam] = [await twice('oda'), await twice('pam')];
    await createFriendship(oda.phones[0], pam.phones[0]);
    await Promise.all(
      [oda, pam].map(({ phones }, index) =>
        phones[index]!.client.call('patchFriend', {
          params: { userId: (index === 0 ? pam : oda).userId },
          body: { shareLevel: index === 0 ? 'none' : 'milestones' },
        }),
      ),
    );
    const { friends } = await oda.phones[0].client.call('listFriends');
    expect(friends).toMatchObject([{ shareLevel: 'none', theirShareLevel: 'milestones' }]);
  });

  it('a concurrent third and fourth report hide the name', async () => {
    const bad = await twice('bad');
    const reporters = [await twice('one'), await twice('two'), await twice('three'), await twice('four')];
    await Promise.all(
      reporters.map(({ phones }, index) =>
        phones[index % 2]!.client.call('reportPerson', { body: { userId: bad.userId, reason: 'name' } }),
      ),
    );
    const user = await mongo.db().collection<{ _id: string }>('users').findOne({ _id: bad.userId });
    expect(user).toMatchObject({ nameHidden: true });
  });
});
