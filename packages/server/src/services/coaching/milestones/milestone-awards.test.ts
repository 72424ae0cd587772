import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import type { DaysMissing, StreakDays, StreakPerson } from '../../analytics/index.ts';
import { createInboxStore, type InboxStore } from '../../notifications/inbox/inbox-store.ts';
import { renderNotification } from '../../notifications/inbox/notification-event.ts';
import { createCheerStore, type CheerStore } from '../cheers/cheer-store.ts';
import type { Inbox, MilestoneUser } from '../ports.ts';
import { createMilestoneAwards, type MilestoneAwardsDeps } from './milestone-awards.ts';
import type { Evaluation, EvaluationInput } from './milestone-evaluation.ts';
import type { ReachedMilestone } from './milestone-rules.ts';
import { createMilestoneStore, type MilestoneStore } from './milestone-store.ts';

const now = Date.UTC(2026, 9, 21, 10);
const today = Math.floor(now / 86_400_000);
const through = today - 1;
const alice: MilestoneUser = {
  userId: 'alice',
  name: 'Alice',
  createdAt: 0,
  timeZone: 'UTC',
  timeZones: [{ timeZone: 'UTC', from: 0 }],
  dayStartHour: 0,
  settingsVersion: 1,
  consents: new Set(['terms', 'health-processing']),
};
const three: ReachedMilestone = {
  kind: 'abstinence',
  days: 3,
  from: through - 2,
  to: through,
  isConfirmed: true,
};

describe('createMilestoneAwards', () => {
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

  let rows = 0;
  const notify: Inbox['notify'] = async (tx, userId, event) => {
    const { category, event: name, title, body, data } = renderNotification(event);
    await inbox.append(
      {
        id: `row-${rows++}`,
        userId: userId ?? '~',
        kind: event.kind,
        ...{ category, event: name, title, body, data },
        createdAt: now,
      },
      tx,
    );
  };
  const inboxPort: MilestoneAwardsDeps['inbox'] = {
    notify,
    markMilestonesRead: (userId, ids, tx) => inbox.markMilestonesRead(userId, ids, now, tx),
  };
  const evaluationOf = (what: Partial<Evaluation>): Evaluation => ({
    state: { rev: 1, settingsVersion: 1, through },
    revoked: [],
    changed: [],
    reached: [],
    ...what,
  });
  /** Streaks that give every user the evaluation of `evaluate`. */
  const streaksOf = (
    evaluate: (inputs: readonly EvaluationInput[]) => Evaluation | Promise<Evaluation>,
  ): MilestoneAwardsDeps['streaks'] => ({
    async evaluate<Subject extends { readonly person: StreakPerson }, Result extends object>(
      subjects: readonly Subject[],
      _revs: ReadonlyMap<string, number>,
      _evaluation: (subject: Subject, days: StreakDays) => Result | DaysMissing,
    ) {
      const evaluation = await evaluate(subjects as readonly unknown[] as EvaluationInput[]);
      return new Map(subjects.map(({ person }) => [person.userId, evaluation as object as Result]));
    },
  });
  /** A worker of a process of its own, which by default finds that `three` is reached. */
  const worker = (deps: Partial<MilestoneAwardsDeps> = {}) =>
    createMilestoneAwards({
      store,
      cheers,
      inbox: inboxPort,
      inTransaction: (work) => inTransaction(database.connection, work),
      streaks: streaksOf(() => evaluationOf({ reached: [three] })),
      puffs: { newestRevs: (userIds) => Promise.resolve(new Map(userIds.map((userId) => [userId, 1]))) },
      users: { settingsOfMany: () => Promise.resolve(new Map([[alice.userId, alice]])) },
      clock: { now: () => now },
      log: createLogger({ level: 'silent' }),
      ...deps,
    });
  const awarded = () => store.listAwarded(['alice']);
  const notified = () => inbox.listAfter('alice', 0, 10);

  it('awards nothing if the worker ends before the notification is written', async () => {
    const dying = worker({ inbox: { ...inboxPort, notify: () => Promise.reject(new Error('killed')) } });
    await expect(dying.refresh([alice])).rejects.toThrow('killed');
    expect([await awarded(), await notified()]).toEqual([[], []]);
    await worker().refresh([alice]);
    expect(await awarded()).toMatchObject([three]);
    expect(await notified()).toHaveLength(1);
  });

  it('awards and notifies once if several workers refresh at the same time', async () => {
    await Promise.all([1, 2, 3, 4].map(() => worker().refresh([alice])));
    expect(await awarded()).toHaveLength(1);
    expect(await notified()).toHaveLength(1);
  });

  it('evaluates again if another worker has changed the milestones since', async () => {
    const one: ReachedMilestone = { ...three, days: 1, from: through };
    let evaluations = 0;
    // `late` knows of a puff on one of the three days. Another worker, which does not, awards them first.
    const late = worker({
      puffs: { newestRevs: () => Promise.resolve(new Map([['alice', 2]])) },
      streaks: streaksOf(async (inputs) => {
        if (evaluations++ === 0) await worker().refresh([alice]);
        const state = { rev: 2, settingsVersion: 1, through };
        const revoked = inputs.flatMap((input) => input.awarded.map(({ id }) => id));
        return evaluationOf({ state, revoked, reached: [one] });
      }),
    });
    await late.refresh([alice]);
    expect(evaluations).toBe(2);
    expect(await awarded()).toMatchObject([one]);
    expect(await notified()).toMatchObject([{ readAt: now }, { readAt: null }]);
  });

  it('awards nothing after a withdrawal of consent, and a withdrawal waits for the award in progress', async () => {
    const late: MilestoneUser = { ...alice, consents: new Set(['health-processing']) };
    await worker({
      users: { settingsOfMany: () => Promise.resolve(new Map([[alice.userId, late]])) },
    }).refresh([alice]);
    expect([await awarded(), await notified()]).toEqual([[], []]);

    const order: string[] = [];
    let drained: Promise<unknown> = Promise.resolve();
    const one = worker({
      inTransaction: async (work) => {
        drained = one.drainUser('alice').then(() => order.push('drained'));
        const done = await inTransaction(database.connection, work);
        order.push('awarded');
        return done;
      },
    });
    await one.refresh([alice]);
    await drained;
    expect(order).toEqual(['awarded', 'drained']);
    expect(await awarded()).toHaveLength(1);
  });

  it('skips users without the consents for processing', async () => {
    await worker().refresh([{ ...alice, consents: new Set(['terms']) }]);
    await worker().refresh([{ ...alice, consents: new Set(['health-processing']) }]);
    expect(await awarded()).toEqual([]);
  });
});
