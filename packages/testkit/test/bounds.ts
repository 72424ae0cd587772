import type { Client } from '@pufftrack/client';
import type { Db, Document } from 'mongodb';
import type { Person, TestApp } from '../src/index.ts';

const dayMs = 86_400_000;

/** docs/limits.md */
export const maxGoals = 4_000;
export const maxChangesPerPuff = 2_500;
export const maxConsentRecords = 1_000;
export const maxZonePeriods = 1_000;
const checkInsOfTenYears = 3_652;
/** Rows of the days that a check-in may still change; each is small. */
export const checkInsReadAgain = 40;

export interface Accounts {
  readonly empty: Person;
  /** With every history at its bound. */
  readonly full: Person;
}

/** Two accounts that the server has cached; the rows of the full one are copies of rows that the server has written. */
export const openAccounts = async (app: TestApp, db: Db): Promise<Accounts> => {
  const [empty, full] = [await app.person('alice'), await app.person('bob')];
  const { userId } = full;
  const fill = async (collection: string, count: number, change: (index: number) => Document) => {
    const rows = db.collection(collection);
    const row = await rows.findOne({ userId });
    if (!row) throw new Error(`the program has written no row of ${collection}`);
    delete (row as Document)['_id'];
    await rows.deleteMany({ userId });
    await rows.insertMany(Array.from({ length: count }, (_, index) => ({ ...row, ...change(index) })));
  };
  for (const { client } of [empty, full]) {
    await client.call('putGoal', { body: { mode: 'reduce', dailyLimit: 4_000 } });
    await client.call('checkIn', { body: { days: ['2026-10-19'], none: true } });
  }
  const now = app.clock.now();
  const today = Math.floor(now / dayMs);
  await fill('goals', maxGoals, (index) => ({
    number: index + 1,
    dailyLimit: 3_000 + (index % 2),
    setAt: new Date((today - maxGoals + 1 + index) * dayMs),
    effectiveDay: today - maxGoals + 1 + index,
    before: { limited: index > 0, baseline: null },
  }));
  await fill('checkins', checkInsOfTenYears, (index) => ({ day: today - 2 - index }));
  await fill('consentrecords', maxConsentRecords, (index) => ({
    at: new Date(now - (maxConsentRecords - index) * 60_000),
  }));
  // A move across the date line every two days: the most expensive history to find skipped days in.
  const timeZones = Array.from({ length: maxZonePeriods }, (_, index) => ({
    timeZone: index % 2 === 0 ? 'Pacific/Kiritimati' : 'Pacific/Honolulu',
    from: new Date(now - (maxZonePeriods + 40 - index) * 2 * dayMs),
  }));
  await db
    .collection<Document & { _id: string }>('users')
    .updateOne(
      { _id: userId },
      { $set: { timeZones, timeZone: 'Pacific/Honolulu' }, $inc: { settingsVersion: 1 } },
    );
  // Processes read rows again after 5 s that they have not changed themselves.
  app.clock.advance(6_000);
  for (const { client } of [empty, full]) await client.call('getStats');
  return { empty, full };
};

let limit = 2_900;

/** Calls that read a history or add to one. Each limit is lower than the one before, so it counts from today. */
export const calls: [what: string, call: (client: Client) => Promise<unknown>][] = [
  ['reads its goal', (client) => client.call('getGoal')],
  ['lowers its limit', (client) => client.call('putGoal', { body: { mode: 'reduce', dailyLimit: limit-- } })],
  ['checks in', (client) => client.call('checkIn', { body: { days: ['2026-10-18'], none: true } })],
  ['changes its profile', (client) => client.call('patchMe', { body: { dayStartHour: 0 } })],
  ['reads its profile', (client) => client.call('getMe')],
  ['reads its consents', (client) => client.call('getConsents')],
  ['records a puff', (client) => client.call('recordPuff')],
  ['reads its stats', (client) => client.call('getStats')],
  [
    'reads the days of a month',
    (client) => client.call('getStatsDays', { query: { from: '2026-09-20', to: '2026-10-20' } }),
  ],
];
