import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createFriendship, eventually, startTestApp, type TestApp } from '../src/index.ts';
import { friendsOf, newPeople, receivedBy, sendRequest, sent } from './friend-world.ts';

const minuteMs = 60_000;

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const people = (...names: string[]) => newPeople(app, names);

describe('ghost mode', () => {
  it('shows the summary of its beginning, then the current one; events from it are never sent late', async () => {
    const [abe, bea] = await people('abe', 'bea');
    await createFriendship(abe!, bea!);
    await abe!.client.call('recordPuff', { body: { quantity: 3 } });
    const atBea = await bea!.connect();
    const until = new Date(app.clock.now() + 10 * minuteMs).toISOString();
    const begun = await abe!.client.call('putGhost', { body: { until } });
    expect(begun).toEqual({ since: new Date(app.clock.now()).toISOString(), until });
    expect((await atBea.next('friendUpdated')).friend).toMatchObject({
      resting: true,
      summary: { todayCount: 3 },
    });
    app.clock.advance(minuteMs);
    const hidden = randomUUID();
    await abe!.client.call('recordPuff', { body: { id: hidden, quantity: 4 } });
    expect(await friendsOf(bea!)).toMatchObject([{ resting: true, summary: { todayCount: 3 } }]);
    // A repeated call keeps its beginning.
    expect(await abe!.client.call('putGhost', { body: { until: null } })).toEqual({
      ...begun,
      until: null,
    });
    await abe!.client.call('putGhost', { body: { until } });
    // It ends by the clock, before any process has ended it.
    app.clock.advance(9 * minuteMs);
    const [after] = await friendsOf(bea!);
    expect(after).toMatchObject({ summary: { todayCount: 7 } });
    expect(after).not.toHaveProperty('resting');
    expect(await abe!.client.call('getMe')).not.toHaveProperty('ghost');
    const ended = await atBea.next('friendUpdated', {
      where: ({ friend }) => friend.resting === undefined,
    });
    expect(ended.friend.summary).toMatchObject({ todayCount: 7 });
    await abe!.client.call('deletePuff', { params: { id: hidden } });
    // The process of the socket may join it to the live audience a moment after it has sent the update.
    let recorded = 0;
    await eventually('a puff is shown live again', async () => {
      await abe!.client.call('recordPuff', { body: { quantity: 1 } });
      recorded += 1;
      return atBea.received('friendPuff').length > 0;
    });
    const shown = atBea.received('friendPuff');
    expect(shown.map(({ count }) => count)).toEqual(shown.map(() => 1));
    expect(shown.at(-1)?.todayCount).toBeLessThanOrEqual(3 + recorded);
    expect(atBea.received('friendPuffRetracted')).toEqual([]);
    atBea.close();
  });

  it('rejects an end in the past and can be ended repeatedly', async () => {
    const [cal] = await people('cal');
    const until = new Date(app.clock.now()).toISOString();
    await expect(cal!.client.call('putGhost', { body: { until } })).rejects.toMatchObject({
      status: 422,
      problem: { errors: [{ path: 'until' }] },
    });
    for (let round = 0; round < 2; round++) await cal!.client.call('deleteGhost');
  });

  it('delivers friend requests and does not reveal itself to their senders', async () => {
    const [dea, eli] = await people('dea', 'eli');
    await dea!.client.call('putGhost', { body: { until: null } });
    expect(await sendRequest(eli!, dea!)).toEqual(sent);
    const requestId = (await receivedBy(dea!))[0]!.id;
    await dea!.client.call('acceptFriend', { body: { requestId } });
    expect(await friendsOf(eli!)).toMatchObject([{ resting: true, summary: { todayCount: 0 } }]);
  });
});
