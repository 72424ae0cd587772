import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { createUserStore, type UserStore } from './user-store.ts';
import { defaultProfile } from './user.ts';

describe('a change of a profile', () => {
  let database: TestDatabase;
  let store: UserStore;

  beforeEach(async () => {
    database = await openTestDatabase();
    store = createUserStore(database.connection);
    await store.ensureIndexes();
    await inTransaction(database.connection, (tx) =>
      store.insert(
        {
          ...defaultProfile,
          userId: 'ann',
          email: null,
          createdAt: 1,
          lastLoginAt: 1,
          friendCode: 'AAAAAAAAAA',
          ageBand: '18+',
          timeZones: [{ timeZone: 'UTC', from: 1 }],
          settingsVersion: 1,
          consents: [],
          ghost: null,
          sharesSince: 1,
          nameHidden: false,
        },
        tx,
      ),
    );
  });
  afterEach(() => database.drop());

  it('adds an entry to the history of zones only for a different zone', async () => {
    const zones = ['UTC', 'Europe/Berlin', 'Europe/Berlin', 'Asia/Tokyo', 'Europe/Berlin'];
    for (const [at, timeZone] of zones.entries()) await store.changeProfile('ann', { timeZone }, 10 + at);
    expect(await store.find('ann')).toMatchObject({
      timeZone: 'Europe/Berlin',
      timeZones: [
        { timeZone: 'UTC', from: 1 },
        { timeZone: 'Europe/Berlin', from: 11 },
        { timeZone: 'Asia/Tokyo', from: 13 },
        { timeZone: 'Europe/Berlin', from: 14 },
      ],
      settingsVersion: 6,
    });
  });

  it('ends the history with the zone in force after two concurrent changes', async () => {
    for (let round = 0; round < 30; round++) {
      const zones = ['Europe/Berlin', 'UTC'];
      await Promise.all(zones.map((timeZone) => store.changeProfile('ann', { timeZone }, 10)));
      const ann = await store.find('ann');
      expect(ann?.timeZones.at(-1)?.timeZone).toBe(ann?.timeZone);
    }
  });

  it('keeps absent fields, and stores text that begins with a dollar sign', async () => {
    await store.changeProfile('ann', { name: '$email', dayStartHour: 4 }, 10);
    expect(await store.changeProfile('ann', { weekStart: 'sunday' }, 11)).toMatchObject({
      name: '$email',
      dayStartHour: 4,
      weekStart: 'sunday',
    });
    expect(await store.changeProfile('ann', { name: null }, 12)).toMatchObject({ name: null });
    expect(await store.changeProfile('bob', { name: 'Bob' }, 13)).toBeUndefined();
  });
});
