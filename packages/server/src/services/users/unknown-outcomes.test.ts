import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@pufftrack/testkit/eventually';
import { endpoints, type EndpointSpec } from '@pufftrack/contract';
import { MongoServerError } from 'mongodb';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { servicesAlone } from '../../../test/services-alone.ts';
import type { Services } from '../../app/services.ts';
import { processingPurposes } from '../../domain/consents.ts';
import { noBus } from '../../platform/bus/bus.ts';
import type { Actor } from '../../platform/edge/actor.ts';
import { newUuid } from '../../platform/ids.ts';
import { inTransaction } from '../../platform/mongo/transaction.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { legalVersions } from './consents/legal-versions.ts';

const clock = { now: () => Date.parse('2026-10-21T10:00:00Z') };
const log = createLogger({ level: 'silent' });

let database: TestDatabase;
let services: Services;
/** The announcements of settings to the other processes. */
let announced: { userId: string; settingsVersion: number }[] = [];
let restore = (): void => undefined;

beforeAll(async () => {
  database = await openTestDatabase();
  services = servicesAlone(database.connection, clock, {
    ...noBus,
    publish(channel, message) {
      if (channel === 'settings.changed') announced.push(message as (typeof announced)[number]);
    },
  });
  const { auth, users, puffs, analytics, notifications, coaching } = services;
  for (const owner of [auth, users, puffs, analytics, notifications, coaching]) await owner.ensureIndexes();
});
afterEach(() => {
  restore();
});
afterAll(() => database.drop());

const openAccount = async (): Promise<string> => {
  const consents = [...processingPurposes, 'friends-sharing' as const].map((purpose) => ({
    purpose,
    version: legalVersions[purpose],
  }));
  const { userId } = await inTransaction(database.connection, (tx) =>
    services.users.accounts.openAccount({ name: 'Ann', email: null, timeZone: 'UTC', consents }, tx),
  );
  return userId;
};

const callAs = async (userId: string, spec: EndpointSpec, input: object = {}): Promise<unknown> => {
  const routes = [services.users, services.analytics].flatMap((service) => service.routes);
  const found = routes.find((route) => route.spec === spec);
  if (!found) throw new Error(`no route for ${spec.path}`);
  const actor: Actor = { userId, sessionId: newUuid(), expiresAt: Infinity };
  const parsed = { params: {}, query: {}, body: {}, ...input };
  return found.handle({ input: parsed, actor: actor as never, bearer: undefined, log });
};

/** The response to the next commit is lost: the transaction is committed, or it is not. */
const loseNextCommit = (isCommitted: boolean): void => {
  const client = database.connection.getClient();
  const startSession = client.startSession.bind(client);
  restore = () => Reflect.deleteProperty(client, 'startSession');
  client.startSession = (options) => {
    const session = startSession(options);
    const run = session.withTransaction.bind(session);
    const lost = new MongoServerError({
      message: 'the response to the commit is lost',
      errorLabels: ['UnknownTransactionCommitResult'],
    });
    session.withTransaction = async (work, ...rest) => {
      restore();
      await run(
        async (tx) => {
          const result = await work(tx);
          if (!isCommitted) throw lost;
          return result;
        },
        ...rest,
      );
      throw lost;
    };
    return session;
  };
};

const storedVersion = async (userId: string): Promise<number | undefined> => {
  const row = await database.connection
    .collection<{ _id: string; settingsVersion: number }>('users')
    .findOne({ _id: userId });
  return row?.settingsVersion;
};

interface Change {
  readonly what: string;
  readonly before?: (userId: string) => Promise<unknown>;
  readonly change: (userId: string, reporter: string) => Promise<unknown>;
  /** What the change decides, as the next read of the settings shows it. */
  readonly read: (settings: Awaited<ReturnType<Services['users']['settings']>>) => unknown;
  readonly values: readonly [before: unknown, after: unknown];
}

const report = (userId: string, reporter: string) =>
  callAs(reporter, endpoints.reportPerson, { body: { userId, reason: 'name' } });

const changes: readonly Change[] = [
  {
    what: 'a withdrawal of consent',
    change: (userId) =>
      callAs(userId, endpoints.putConsents, {
        body: { consents: [{ purpose: 'terms', version: legalVersions.terms, granted: false }] },
      }),
    read: ({ consents }) => consents.has('terms'),
    values: [true, false],
  },
  {
    what: 'a change of the settings with a goal',
    change: (userId) => callAs(userId, endpoints.putGoal, { body: { mode: 'reduce', dailyLimit: 9 } }),
    read: ({ settingsVersion }) => settingsVersion,
    values: [1, 2],
  },
  {
    what: 'the beginning of ghost mode',
    change: (userId) => callAs(userId, endpoints.putGhost, { body: { until: null } }),
    read: ({ ghost }) => ghost !== null,
    values: [false, true],
  },
  {
    what: 'the end of ghost mode',
    before: (userId) => callAs(userId, endpoints.putGhost, { body: { until: null } }),
    change: (userId) => callAs(userId, endpoints.deleteGhost),
    read: ({ ghost }) => ghost !== null,
    values: [true, false],
  },
  {
    what: 'the report that hides a name',
    async before(userId) {
      for (const reporter of [await openAccount(), await openAccount()]) await report(userId, reporter);
    },
    change: report,
    read: ({ name }) => name,
    values: ['Ann', null],
  },
  {
    what: 'a review that hides a name',
    change: (userId) => services.users.reports.review(userId, 'hide'),
    read: ({ name }) => name,
    values: ['Ann', null],
  },
];

describe.each([
  ['committed', true],
  ['not committed', false],
])('when the response to a commit is lost and the transaction was %s', (_what, isCommitted) => {
  let userId: string;
  let reporter: string;
  beforeEach(async () => {
    userId = await openAccount();
    reporter = await openAccount();
  });

  it.each(changes)(
    'the next read of the settings and the announcement show the stored state of $what',
    async ({ before, change, read, values }) => {
      await before?.(userId);
      expect(read(await services.users.settings(userId))).toBe(values[0]);
      announced = [];
      loseNextCommit(isCommitted);
      await expect(change(userId, reporter)).rejects.toThrow('is lost');
      expect(read(await services.users.settings(userId))).toBe(values[isCommitted ? 1 : 0]);
      const version = await storedVersion(userId);
      await eventually('the stored version is announced', () =>
        announced.some((change) => change.userId === userId && change.settingsVersion === version),
      );
    },
  );

  it('the next read of the settings shows whether the account was deleted', async () => {
    expect(await services.users.settings(userId)).toMatchObject({ userId });
    loseNextCommit(isCommitted);
    await expect(services.users.accounts.eraseAccount(userId, log)).rejects.toThrow('is lost');
    const read = Promise.resolve().then(() => services.users.settings(userId));
    const outcome = await read.then(
      () => 'account exists',
      (error: unknown) => (error as { code?: string }).code,
    );
    expect(outcome).toBe(isCommitted ? 'account-gone' : 'account exists');
  });
});
