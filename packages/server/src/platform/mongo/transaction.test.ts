import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MongoServerError, type ClientSession } from 'mongodb';
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { inTransaction } from './transaction.ts';

interface NoteDoc {
  _id: string;
}

describe('inTransaction', () => {
  let database: TestDatabase;
  const notes = () => database.connection.collection<NoteDoc>('notes');
  const insert = (id: string) => async (tx: ClientSession) => {
    await notes().insertOne({ _id: id }, { session: tx });
  };
  /** Replaces the commit of the next transaction. */
  const interceptCommit = (commit: (original: () => Promise<void>) => Promise<void>) => {
    const client = database.connection.getClient();
    const start = client.startSession.bind(client);
    jest.spyOn(client, 'startSession').mockImplementationOnce((options) => {
      const session = start(options);
      const original = session.commitTransaction.bind(session);
      session.commitTransaction = () => commit(original);
      return session;
    });
  };
  /** Holds back the timer of the limit; the returned function lets the limit pass. The driver keeps its own timers. */
  const captureLimit = () => {
    let check = () => {};
    const setTimer = globalThis.setTimeout;
    const spy = jest.spyOn(globalThis, 'setTimeout');
    spy.mockImplementation((callback: () => void, ms?: number) => {
      if (ms !== 8_000) return setTimer(callback, ms);
      check = callback;
      return setTimer(() => undefined, 0);
    });
    return () => {
      const now = performance.now();
      jest.spyOn(performance, 'now').mockReturnValue(now + 8_001);
      check();
    };
  };
  beforeAll(async () => {
    database = await openTestDatabase();
    await database.connection.createCollection('notes');
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(() => database.drop());

  it('commits, and does not report an unknown outcome', async () => {
    const onUnknown = jest.fn();
    await inTransaction(database.connection, insert('committed'), onUnknown);
    expect(await notes().findOne({ _id: 'committed' })).not.toBeNull();
    expect(onUnknown).not.toHaveBeenCalled();
  });

  it('stores nothing and reports no unknown outcome when the work throws', async () => {
    const onUnknown = jest.fn();
    const failing = async (tx: ClientSession) => {
      await insert('aborted')(tx);
      throw new RangeError('no');
    };
    await expect(inTransaction(database.connection, failing, onUnknown)).rejects.toThrow('no');
    expect(await notes().findOne({ _id: 'aborted' })).toBeNull();
    expect(onUnknown).not.toHaveBeenCalled();
  });

  it('reports an unknown outcome once a commit has landed that was answered after the limit', async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => (answer = resolve));
    let land = () => {};
    const landed = new Promise<void>((resolve) => (land = resolve));
    interceptCommit(async (original) => {
      await original();
      land();
      await answered;
    });
    const passLimit = captureLimit();
    let report = () => {};
    const reported = new Promise<void>((resolve) => (report = resolve));
    const onUnknown = jest.fn(() => {
      report();
    });
    const outcome = inTransaction(database.connection, insert('late'), onUnknown).catch(
      (error: unknown) => error,
    );
    await landed;
    passLimit();
    expect(await outcome).toMatchObject({ code: 'overloaded' });
    expect(onUnknown).not.toHaveBeenCalled();
    answer();
    await reported;
    expect(onUnknown).toHaveBeenCalledTimes(1);
    expect(await notes().findOne({ _id: 'late' })).not.toBeNull();
  });

  it('reports an unknown outcome when the driver does not know the result of the commit', async () => {
    interceptCommit(async (original) => {
      await original();
      const error = new MongoServerError({ message: 'max commit time expired', code: 50 });
      error.addErrorLabel('UnknownTransactionCommitResult');
      throw error;
    });
    const onUnknown = jest.fn();
    await expect(inTransaction(database.connection, insert('unknown'), onUnknown)).rejects.toThrow('expired');
    expect(onUnknown).toHaveBeenCalledTimes(1);
  });
});
