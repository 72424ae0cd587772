import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';

const minute = 60_000;
const day = 86_400_000;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('editing, deleting and undoing', () => {
  let app: TestApp;
  let person: Person;

  beforeAll(async () => {
    app = await startTestApp({ now: '2026-10-21T10:00:00Z' });
  });
  afterAll(() => app.close());

  const newPerson = async () => (person = await app.person(randomUUID()));
  const at = (agoMs: number) => new Date(app.clock.now() - agoMs).toISOString();
  const record = async (body: { quantity?: number; timestamp?: string } = {}) => {
    const { puff } = await person.client.call('recordPuff', { body: { id: randomUUID(), ...body } });
    return puff!;
  };
  const edit = (id: string, body: object) => person.client.call('editPuff', { params: { id }, body });
  const remove = (id: string) => person.client.call('deletePuff', { params: { id } });
  const restore = (id: string) => person.client.call('restorePuff', { params: { id } });
  const undo = (id?: string) => person.client.call('undoPuff', { body: id === undefined ? {} : { id } });
  const listed = async () => (await person.client.call('listPuffs')).puffs.map(({ id }) => id);

  it('moves an edited puff between days, and recounts both', async () => {
    await newPerson();
    const puff = await record({ quantity: 2, timestamp: at(day) });
    await record();
    const edited = await edit(puff.id, { timestamp: at(minute), quantity: 5, trigger: ' stress ' });
    expect(edited.puff).toMatchObject({
      id: puff.id,
      day: '2026-10-21',
      quantity: 5,
      trigger: 'stress',
      receivedAt: puff.receivedAt,
      revision: 3,
    });
    expect(edited.stats).toMatchObject({ revision: 3, dailyPuffCount: 6, totalPuffCount: 6 });
    expect(await edit(puff.id, { quantity: 5 })).toMatchObject({ puff: { revision: 3, trigger: 'stress' } });
    expect(await edit(puff.id, { trigger: null })).toMatchObject({ puff: { revision: 4, trigger: null } });
    expect((await person.client.call('listPuffs')).puffs[1]).toMatchObject({ id: puff.id, quantity: 5 });
  });

  it('reads an edited timestamp on the wall of the zone in which the puff happened', async () => {
    await newPerson();
    const { puff } = await person.client.call('recordPuff', {
      body: { id: randomUUID(), timestamp: '2026-10-20T12:00:00Z', timeZone: 'Asia/Tokyo' },
    });
    const { puff: edited } = await edit(puff!.id, { timestamp: '2026-10-20T15:30:00Z' });
    expect(edited).toMatchObject({ timeZone: 'Asia/Tokyo', day: '2026-10-21' });
  });

  it('refuses an edit that a new puff would be refused for, and leaves the puff alone', async () => {
    await newPerson();
    const puff = await record();
    await expect(edit(puff.id, { timestamp: at(-6 * minute) })).rejects.toMatchObject({
      code: 'timestamp-in-future',
    });
    await expect(edit(puff.id, { timestamp: '2016-10-20T10:00:00Z' })).rejects.toMatchObject({
      code: 'too-old',
    });
    await expect(edit(puff.id, { quantity: 51 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(edit(randomUUID(), { quantity: 2 })).rejects.toMatchObject({ code: 'not-found' });
    expect(await edit(puff.id, { timestamp: at(-4 * minute) })).toMatchObject({
      puff: { timestamp: at(0), revision: 1 },
    });
  });

  it("does not contain other people's puffs", async () => {
    await newPerson();
    const puff = await record();
    await newPerson();
    for (const call of [edit(puff.id, { quantity: 2 }), remove(puff.id), restore(puff.id)])
      await expect(call).rejects.toMatchObject({ code: 'not-found', status: 404 });
    expect(await undo(puff.id)).toMatchObject({ undonePuff: null, stats: { totalPuffCount: 0 } });
  });

  it('deletes, again, restores, again; and a retry of the puff stays a duplicate', async () => {
    await newPerson();
    const puff = await record({ quantity: 3 });
    expect((await remove(puff.id)).stats).toMatchObject({ revision: 2, totalPuffCount: 0, lastPuffAt: null });
    expect((await remove(puff.id)).stats).toMatchObject({ revision: 2, totalPuffCount: 0 });
    expect(await listed()).toEqual([]);
    expect(await person.client.call('recordPuff', { body: { id: puff.id } })).toMatchObject({
      status: 'duplicate',
      puff: null,
      stats: { totalPuffCount: 0 },
    });
    await expect(edit(puff.id, { quantity: 2 })).rejects.toMatchObject({ code: 'puff-deleted', status: 410 });
    expect(await restore(puff.id)).toMatchObject({
      puff: { id: puff.id, quantity: 3, revision: 3 },
      stats: { totalPuffCount: 3, lastPuffAt: puff.timestamp },
    });
    expect(await restore(puff.id)).toMatchObject({ puff: { revision: 3 } });
    expect(await listed()).toEqual([puff.id]);
  });

  it('restores for 30 days', async () => {
    await newPerson();
    const puff = await record();
    await remove(puff.id);
    app.clock.advance(30 * day);
    await person.client.refresh();
    await restore(puff.id);
    await remove(puff.id);
    app.clock.advance(30 * day + 1);
    await person.client.refresh();
    await expect(restore(puff.id)).rejects.toMatchObject({ code: 'puff-deleted' });
  });

  it('undoes by id within 10 minutes of receipt, however often it is repeated', async () => {
    await newPerson();
    const puff = await record({ timestamp: at(3 * day) });
    expect(await undo(puff.id)).toMatchObject({ undonePuff: { id: puff.id }, stats: { totalPuffCount: 0 } });
    expect(await undo(puff.id)).toMatchObject({ undonePuff: null });
    const late = await record();
    app.clock.advance(10 * minute + 1);
    await expect(undo(late.id)).rejects.toMatchObject({ code: 'undo-too-late', status: 409 });
    await remove(late.id);
    expect(await undo(late.id)).toMatchObject({ undonePuff: null });
    expect(await undo(randomUUID())).toMatchObject({ undonePuff: null });
  });

  it('undoes without an id what this session sent last, and no other', async () => {
    await newPerson();
    const phone = person;
    const tablet = await phone.signInAgain();
    const first = await record({ quantity: 2 });
    const second = await record({ timestamp: at(day) });
    await tablet.client.call('recordPuff');
    expect((await undo()).undonePuff?.id).toBe(second.id);
    expect((await undo()).undonePuff?.id).toBe(first.id);
    expect((await undo()).undonePuff).toBeNull();
    await record();
    app.clock.advance(10 * minute + 1);
    expect(await undo()).toMatchObject({ undonePuff: null, stats: { totalPuffCount: 2 } });
  });

  it('deletes everything at once, for good', async () => {
    await newPerson();
    const puffs = [await record(), await record({ timestamp: at(40 * day) }), await record()];
    await remove(puffs[0]!.id);
    const answer = await person.client.call('deleteAllPuffs');
    expect(answer).toMatchObject({ deleted: 2, stats: { totalPuffCount: 0, lastPuffAt: null } });
    for (const { id } of puffs) await expect(restore(id)).rejects.toMatchObject({ code: 'puff-deleted' });
    expect(await listed()).toEqual([]);
    const after = await record();
    expect(await listed()).toEqual([after.id]);
    expect(await person.client.call('getStats')).toMatchObject({ totalPuffCount: 1, dailyPuffCount: 1 });
  });

  it('bounds a day for edits and restores too', async () => {
    await newPerson();
    const puffs = range(100).map(() => ({ id: randomUUID(), timestamp: at(minute), quantity: 50 }));
    await person.client.call('recordPuffBatch', { body: { puffs } });
    const other = await record({ quantity: 1, timestamp: at(2 * day) });
    await expect(edit(other.id, { timestamp: at(minute) })).rejects.toMatchObject({ code: 'day-full' });
    await remove(puffs[0]!.id);
    await edit(other.id, { timestamp: at(minute) });
    await expect(restore(puffs[0]!.id)).rejects.toMatchObject({ code: 'day-full' });
    expect(await edit(puffs[1]!.id, { quantity: 49 })).toMatchObject({ stats: { totalPuffCount: 4950 } });
  });

  it('gates edits and restores by consent, and never a deletion', async () => {
    await newPerson();
    const [kept, gone] = [await record(), await record()];
    const versions = await person.client.call('getLegalVersions');
    await person.client.call('putConsents', {
      body: { consents: [{ purpose: 'terms', version: versions.terms, granted: false }] },
    });
    await expect(edit(kept.id, { quantity: 2 })).rejects.toMatchObject({ code: 'consent-required' });
    expect((await undo()).undonePuff?.id).toBe(gone.id);
    await expect(restore(gone.id)).rejects.toMatchObject({ code: 'consent-required' });
    await remove(kept.id);
    expect(await person.client.call('deleteAllPuffs')).toMatchObject({ deleted: 0 });
  });

  describe('changes since a revision', () => {
    const changes = (since: number, limit = 50) =>
      person.client.call('listPuffChanges', { query: { since: String(since), limit: String(limit) } });

    it('contain each puff once, at its latest number, and each deletion', async () => {
      await newPerson();
      const [a, b, c] = [await record(), await record(), await record()];
      await edit(a.id, { quantity: 9 });
      await remove(b.id);
      expect(await changes(0)).toMatchObject({
        changes: [
          { puff: { id: c.id, revision: 3 } },
          { puff: { id: a.id, quantity: 9, revision: 4 } },
          { deletedId: b.id, revision: 5 },
        ],
        revision: 5,
        hasMore: false,
      });
      expect(await changes(5)).toEqual({ changes: [], revision: 5, hasMore: false });
      await person.client.call('deleteAllPuffs');
      const d = await record();
      expect(await changes(3)).toMatchObject({
        changes: [{ clearedRevision: 6, revision: 6 }, { puff: { id: d.id, revision: 7 } }],
        revision: 7,
      });
    });

    it('come page by page, and end', async () => {
      await newPerson();
      for (let count = 0; count < 7; count++) await record();
      const seen: unknown[] = [];
      let since = 0;
      for (let more = true; more;) {
        const page = await changes(since, 3);
        seen.push(...page.changes);
        [since, more] = [page.revision, page.hasMore];
      }
      expect(seen).toHaveLength(7);
      expect(since).toBe(7);
    });

    it('require a resync beyond the head, and reject an invalid revision', async () => {
      await newPerson();
      await record();
      await expect(changes(2)).rejects.toMatchObject({ code: 'resync-required', status: 410 });
      await expect(changes(-1)).rejects.toMatchObject({ code: 'invalid' });
    });
  });

  describe('live', () => {
    it("reaches the person's other phones, and takes back what friends were shown", async () => {
      const [ann, ben] = [await app.person('ann'), await app.person('ben')];
      await createFriendship(ann, ben);
      const tablet = await ann.signInAgain();
      const [atAnn, atTablet, atBen] = [await ann.connect(), await tablet.connect(), await ben.connect()];
      const { puff } = await atAnn.puff({ quantity: 2 });
      await atBen.next('friendPuff');
      await atTablet.next('puffRecorded');

      const edited = await ann.client.call('editPuff', { params: { id: puff!.id }, body: { quantity: 3 } });
      expect(await atTablet.next('puffRecorded')).toEqual({ puff: edited.puff });
      expect(await atAnn.undo({ id: puff!.id })).toMatchObject({ undonePuff: { id: puff!.id, revision: 3 } });
      expect(await atTablet.next('puffDeleted')).toEqual({ id: puff!.id, revision: 3 });
      expect(await atBen.next('friendPuffRetracted')).toEqual({
        friendId: ann.userId,
        count: 2,
        todayCount: 0,
      });
      expect(atAnn.received('puffDeleted')).toEqual([]);

      // What friends were never shown is not taken back.
      const { puff: old } = await atAnn.puff({ timestamp: at(11 * minute) });
      await atAnn.undo({ id: old!.id });
      await atAnn.puff();
      await atBen.next('friendPuff');
      expect(atBen.received('friendPuffRetracted')).toHaveLength(1);
      expect(await atAnn.next('statsUpdate', { where: ({ stats }) => stats.revision === 6 })).toMatchObject({
        stats: { totalPuffCount: 1 },
      });
    });
  });
});
