// @not-split: replaces a commit of the process under test
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MongoClient, MongoServerError, type ClientSession } from 'mongodb';
import { startTestApp, type TestApp } from '../src/index.ts';

/** The next commit succeeds, but the driver reports that its outcome is unknown. */
const loseNextCommitAnswer = () => {
  const startSession = MongoClient.prototype.startSession;
  let isLost = false;
  jest.spyOn(MongoClient.prototype, 'startSession').mockImplementation(function (this: MongoClient, options) {
    const session: ClientSession = startSession.call(this, options);
    const commit = session.commitTransaction.bind(session);
    session.commitTransaction = async () => {
      await commit();
      if (isLost) return;
      isLost = true;
      const error = new MongoServerError({ message: 'max commit time expired', code: 50 });
      error.addErrorLabel('UnknownTransactionCommitResult');
      throw error;
    };
    return session;
  });
  return () => isLost;
};

describe('a sign-in whose commit has an unknown outcome', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(() => app.close());

  it('does not leave settings from before the sign-in in the cache', async () => {
    const alice = await app.person('alice', { consents: [] });
    const record = () => alice.client.call('recordPuff', { body: {} });
    await expect(record()).rejects.toMatchObject({ code: 'consent-required' });
    const isLost = loseNextCommitAnswer();
    await expect(app.person('alice')).rejects.toMatchObject({ status: 503 });
    expect(isLost()).toBe(true);
    // The clock stands still, so nothing else makes the cached settings expire.
    await expect(record()).resolves.toMatchObject({ puff: { quantity: 1 } });
  });

  it('does not leave the previous time zone in the cache after a sign-in that moves it', async () => {
    const bob = await app.person('bob', { timeZone: 'UTC' });
    const dayOfPuff = async () => (await bob.client.call('recordPuff', { body: {} })).puff?.day;
    // 10:00 UTC is the next day in Kiritimati (UTC+14).
    expect(await dayOfPuff()).toBe('2026-10-21');
    loseNextCommitAnswer();
    await expect(app.person('bob', { timeZone: 'Pacific/Kiritimati' })).rejects.toMatchObject({
      status: 503,
    });
    expect(await dayOfPuff()).toBe('2026-10-22');
  });
});
