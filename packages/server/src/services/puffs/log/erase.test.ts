import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../../platform/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { openLog, puffNumber, recount, type LogProcess } from '../../../../test/puff-log.ts';
import { createEraseStore } from './erase-store.ts';
import { puffRecordsOf, type PuffStore } from './puff-store.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const never = 1_000_000;

describe('the log of a deleted account', () => {
  let database: TestDatabase;
  let processes: LogProcess[];
  let person: string;
  let neighbour: string;

  const open = async (options?: Parameters<typeof openLog>[1]) => {
    const process = await openLog(database.uri, { checkpointEveryMs: never, ...options });
    processes.push(process);
    return process;
  };
  const append = ({ log }: LogProcess, who: string, from: number, count = 1) =>
    log.append(
      who,
      range(count).map((index) => puffNumber(from + index)),
      0,
    );
  /** People with checkpoints. */
  const stored = async ({ checkpoints }: LogProcess) => checkpoints.listPeople('', 10);

  beforeEach(async () => {
    database = await openTestDatabase();
    processes = [];
    [person, neighbour] = [newId(), newId()];
  });
  afterEach(async () => {
    for (const process of processes) await process.close();
    await database.drop();
  });

  it('gets no checkpoint from a process that missed the erasure, neither at a flush nor at its stop', async () => {
    const gone = new Set<string>();
    const process = await open({
      findDeletedUsers: (people) => Promise.resolve(people.filter((one) => gone.has(one))),
    });
    for (const who of [person, neighbour]) await append(process, who, 0, 20);
    gone.add(person);
    await process.log.flush();
    expect(await stored(process)).toEqual([neighbour]);
    await expect(append(process, person, 20)).rejects.toMatchObject({ code: 'account-gone' });
    await process.log.stop();
    expect(await stored(process)).toEqual([neighbour]);
  });

  it('keeps every checkpoint for the next flush when deleted accounts cannot be queried', async () => {
    let isDown = true;
    const process = await open({
      findDeletedUsers: () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve([])),
    });
    await append(process, person, 0, 20);
    await expect(process.log.flush()).rejects.toThrow('down');
    expect(await stored(process)).toEqual([]);
    isDown = false;
    await process.log.flush();
    expect(await stored(process)).toEqual([person]);
  });

  it('refuses queued writes at the deletion, and stores none of those in flight', async () => {
    let release = () => {};
    let started = () => {};
    const isHeld = new Promise<void>((resolve) => (release = resolve));
    const hasStarted = new Promise<void>((resolve) => (started = resolve));
    const wrapStore = (store: PuffStore): PuffStore => ({
      ...store,
      async insert(puffs) {
        started();
        await isHeld;
        return store.insert(puffs);
      },
    });
    const process = await open({ wrapStore });
    const under = append(process, person, 0);
    await hasStarted;
    const waiting = [append(process, person, 1), process.log.clear(person, 0, 0)];
    process.log.evict(person);
    const refused = Promise.allSettled(waiting);
    release();
    expect((await under).outcomes).toMatchObject([{ status: 'created' }]);
    for (const result of await refused)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'account-gone' } });
    // A concurrent reader, such as a job.
    expect((await process.log.history(person)).records).toBe(1);
    await process.log.drainAll();
    expect(await stored(process)).toEqual([]);
    expect(await append(process, neighbour, 0)).toMatchObject({ outcomes: [{ status: 'created' }] });
  });

  it('is deleted from its newest number down, without a sequence gap for readers, and resumes after an interruption', async () => {
    const writer = await open();
    for (const who of [person, neighbour]) await append(writer, who, 0, 35);
    const { collection: records } = puffRecordsOf(database.connection);
    const real = records.deleteMany.bind(records);
    let pages = 0;
    records.deleteMany = (...args) => (++pages > 2 ? Promise.reject(new Error('killed')) : real(...args));
    const store = createEraseStore(database.connection, 10);
    await expect(store.removeLog(person)).rejects.toThrow('killed');
    expect((await recount(writer.store, person)).records).toBe(15);

    records.deleteMany = real;
    expect(await store.removeLog(person)).toBe(15);
    expect(await store.removeLog(person)).toBe(0);
    expect((await recount(writer.store, neighbour)).records).toBe(35);
  });
});
