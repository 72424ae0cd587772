import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { Judgement, Reached } from '../../analytics/index.ts';
import { createCheerStore, type CheerStore } from '../cheers/cheer-store.ts';
import { createInboxStore, type InboxStore } from '../inbox/inbox-store.ts';
import { createMilestoneAwards, type MilestoneAwardsDeps, type MilestonePerson } from './milestone-awards.ts';
import { createMilestoneStore, type MilestoneStore } from './milestone-store.ts';
import { renderNotification } from '../inbox/notification-event.ts';

const now = Date.UTC(2026, 9, 21, 10);
const today = Math.floor(now / 86_400_000);
const through = today - 1;
const alice: MilestonePerson = {
  userId: 'alice',
  name: 'Alice',
  createdAt: 0,
  timeZone: 'UTC',
  timeZones: [{ timeZone: 'UTC', from: 0 }],
  dayStartHour: 0,
  weekStart: 'monday',
  settingsVersion: 1,
  consents: new Set(['terms', 'health-processing']),
};
const three: Reached = { kind: 'abstinence', days: 3, from: through - 2, to: through, isConfirmed: true };

describe('milestones are given in one transaction', () => {
  let database: TestDatabase;
  let store: MilestoneStore;
  let inbox: InboxStore;
  let cheers: CheerStore;

  beforeEach(async () => {
    database = await openTestDatabase();
    store = createMilestoneStore(database.connection);
    inbox = createInboxStore(database.connection);
    cheers = createCheerStore(database.connection);
    for (const owned of [store, inbox, cheers]) await owned.ensureIndexes();
  });
  afterEach(() => database.drop());

  let notices = 0;
  const notify: MilestoneAwardsDeps['notify'] = async (tx, userId, news) => {
    const { category, event, title, body, data } = renderNotification(news);
    const note = { category, event, title, body, data };
    await inbox.append(
      { id: `notice-${notices++}`, userId: userId ?? '~', kind: news.kind, ...note, createdAt: now },
      tx,
    );
  };
  const judgement = (what: Partial<Judgement>): Judgement => ({
    state: { rev: 1, settingsVersion: 1, through },
    void: [],
    changed: [],
    reached: [],
    ...what,
  });
  /** A worker of its own process, which finds that `three` is reached unless told otherwise. */
  const worker = (deps: Partial<MilestoneAwardsDeps> = {}) =>
    createMilestoneAwards({
      store,
      cheers,
      inbox,
      notify,
      inTransaction: (work) => inTransaction(database.connection, work),
      judge: (people) =>
        Promise.resolve(
          new Map(people.map(({ person }) => [person.userId, judgement({ reached: [three] })])),
        ),
      newestRevs: (userIds) => Promise.resolve(new Map(userIds.map((userId) => [userId, 1]))),
      people: () => Promise.resolve(new Map([[alice.userId, alice]])),
      clock: { now: () => now },
      log: createLogger({ level: 'silent' }),
      ...deps,
    });
  const held = () => store.listHeld(['alice']);
  const told = () => inbox.listAfter('alice', 0, 10);

  it('and not without the notice: a worker that ends between the two has given nothing', async () => {
    const dying = worker({ notify: () => Promise.reject(new Error('killed')) });
    await expect(dying.refresh([alice])).rejects.toThrow('killed');
    expect([await held(), await told()]).toEqual([[], []]);
    await worker().refresh([alice]);
    expect(await held()).toMatchObject([three]);
    expect(await told()).toHaveLength(1);
  });

  it('once, by any number of workers at the same moment', async () => {
    await Promise.all([1, 2, 3, 4].map(() => worker().refresh([alice])));
    expect(await held()).toHaveLength(1);
    expect(await told()).toHaveLength(1);
  });

  it('on what nobody has changed since it was judged: else it is judged again', async () => {
    const one: Reached = { ...three, days: 1, from: through };
    let judged = 0;
    // It knows of a puff on one of the three days. Before it can say so, another worker, which does not, gives them.
    const late = worker({
      newestRevs: () => Promise.resolve(new Map([['alice', 2]])),
      judge: async (people) => {
        if (judged++ === 0) await worker().refresh([alice]);
        const state = { rev: 2, settingsVersion: 1, through };
        const known = people.flatMap(({ given }) => given.map(({ id }) => id));
        return new Map([[alice.userId, judgement({ state, void: known, reached: [one] })]]);
      },
    });
    await late.refresh([alice]);
    expect(judged).toBe(2);
    expect(await held()).toMatchObject([one]);
    expect(await told()).toMatchObject([{ readAt: now }, { readAt: null }]);
  });

  it('and not where a consent was withdrawn after the judgement, whose award the withdrawal waits for', async () => {
    const late: MilestonePerson = { ...alice, consents: new Set(['health-processing']) };
    await worker({ people: () => Promise.resolve(new Map([[alice.userId, late]])) }).refresh([alice]);
    expect([await held(), await told()]).toEqual([[], []]);

    const order: string[] = [];
    let drained: Promise<unknown> = Promise.resolve();
    const one = worker({
      inTransaction: async (work) => {
        drained = one.drain('alice').then(() => order.push('drained'));
        const done = await inTransaction(database.connection, work);
        order.push('awarded');
        return done;
      },
    });
    await one.refresh([alice]);
    await drained;
    expect(order).toEqual(['awarded', 'drained']);
    expect(await held()).toHaveLength(1);
  });

  it('and to nobody who has withdrawn a consent', async () => {
    await worker().refresh([{ ...alice, consents: new Set(['terms']) }]);
    await worker().refresh([{ ...alice, consents: new Set(['health-processing']) }]);
    expect(await held()).toEqual([]);
  });
});
