import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../../platform/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { openLog, puffNumber, recount, type LogProcess } from '../../../../test/puff-log.ts';
import type { Checkpoint, CheckpointStore } from './checkpoint-store.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
const never = 1_000_000;

describe('checkpoints', () => {
  let database: TestDatabase;
  let processes: LogProcess[];
  let person: string;

  const open = async (options?: Parameters<typeof openLog>[1]) => {
    const process = await openLog(database.uri, { checkpointEveryMs: never, ...options });
    processes.push(process);
    return process;
  };
  const append = ({ log }: LogProcess, from: number, count: number) =>
    log.append(
      person,
      range(count).map((index) => puffNumber(from + index)),
      0,
    );
  /** A process that was not there before sees exactly what the raw records say. */
  const expectFreshProcessToAgree = async () => {
    const fresh = await open();
    expect(json(await fresh.log.history(person))).toEqual(json(await recount(fresh.store, person)));
    return fresh;
  };

  beforeEach(async () => {
    database = await openTestDatabase();
    processes = [];
    person = newId();
  });

  afterEach(async () => {
    for (const process of processes) await process.close();
    await database.drop();
  });

  it('shorten the log that is read at the start', async () => {
    const writer = await open();
    await append(writer, 0, 400);
    await writer.log.drainAll();
    await append(writer, 400, 5);
    const readFrom: number[] = [];
    const reader = await open({
      wrapStore: (store) => ({
        ...store,
        readAfter(id, rev, limit) {
          readFrom.push(rev);
          return store.readAfter(id, rev, limit);
        },
      }),
    });
    expect(json(await reader.log.history(person))).toEqual(json(await recount(reader.store, person)));
    expect(readFrom).toEqual([400]);
  });

  const dies = () => Promise.reject(new Error('killed'));
  const partOf = (checkpoints: readonly Checkpoint[]) =>
    checkpoints.map((checkpoint) => ({ ...checkpoint, months: checkpoint.months.slice(0, 1) }));
  const cuts: [when: string, wrap: (store: CheckpointStore) => CheckpointStore][] = [
    ['before the month rows', (store) => ({ ...store, writeMonths: dies, writePeople: dies })],
    [
      'in the middle of the month rows',
      (store) => ({
        ...store,
        writeMonths: (checkpoints) => store.writeMonths(partOf(checkpoints)).then(dies),
        writePeople: dies,
      }),
    ],
    [
      'after the month rows',
      (store) => ({ ...store, writeMonths: (rows) => store.writeMonths(rows).then(dies), writePeople: dies }),
    ],
    ['before the person row', (store) => ({ ...store, writePeople: dies })],
    [
      'after the person row',
      (store) => ({ ...store, writePeople: (rows) => store.writePeople(rows).then(dies) }),
    ],
  ];

  it.each(cuts)('are consistent if a flush is interrupted %s', async (_when, wrapCheckpoints) => {
    const first = await open();
    await append(first, 0, 350); // October and November
    await first.log.drainAll();
    const second = await open({ wrapCheckpoints });
    await append(second, 340, 30);
    await expect(second.log.drainAll()).rejects.toThrow('killed');
    const third = await expectFreshProcessToAgree();
    await append(third, 370, 10);
    await third.log.drainAll();
    await expectFreshProcessToAgree();
  });

  it('are written again by the process whose write failed', async () => {
    let down = true;
    const process = await open({
      wrapCheckpoints: (store) => ({
        ...store,
        writeMonths: (rows) => (down ? dies() : store.writeMonths(rows)),
      }),
    });
    await append(process, 0, 20);
    await expect(process.log.drainAll()).rejects.toThrow('killed');
    down = false;
    await process.log.drainAll();
    expect((await process.checkpoints.load(person)).rev).toBe(20);
  });

  it('are never written over newer ones', async () => {
    const [slow, quick] = [await open(), await open()];
    await append(slow, 0, 20);
    await append(quick, 20, 20);
    await quick.log.drainAll();
    await slow.log.drainAll(); // knows 20 of 40
    expect((await quick.checkpoints.load(person)).rev).toBe(40);
    await expectFreshProcessToAgree();
  });

  it('count a month row that is ahead of the totals once', async () => {
    const ahead = await open({ wrapCheckpoints: (store) => ({ ...store, writePeople: dies }) });
    await append(await open(), 0, 10);
    await processes.at(-1)?.log.drainAll();
    await append(ahead, 10, 10);
    await expect(ahead.log.drainAll()).rejects.toThrow('killed');
    const fresh = await expectFreshProcessToAgree();
    await append(fresh, 20, 10);
    await fresh.log.drainAll();
    await expectFreshProcessToAgree();
  });

  it('of an older version, without aggregates or with outdated ones, are recounted and replaced', async () => {
    const writer = await open();
    await append(writer, 0, 400);
    await writer.log.drainAll();
    const months = database.connection.collection<{ _id: string }>('puffmonths');
    const written = await months.find({ person }).sort({ _id: 1 }).toArray();
    const [first, second] = written.map(({ _id }) => ({ _id }));
    await months.updateOne(first!, { $unset: { facts: '', factsRev: '' } });
    await months.updateOne(second!, { $set: { factsRev: 1, 'facts.01': [0, 5] } });
    const fresh = await expectFreshProcessToAgree();
    await fresh.log.drainAll();
    expect(await months.find({ person }).sort({ _id: 1 }).toArray()).toEqual(
      written.map((row) => ({ ...row, rev: 400, factsRev: 400 })),
    );
  });

  it('are rebuilt with equal values after an interrupted drop', async () => {
    const writer = await open();
    await append(writer, 0, 500);
    await writer.log.drainAll();
    const months = database.connection.collection('puffmonths');
    await months.deleteOne({ person });
    await expectFreshProcessToAgree();
    await database.connection.collection<{ _id: string }>('puffpeople').deleteOne({ _id: person });
    await expectFreshProcessToAgree();
    await writer.checkpoints.drop(person);
    const fresh = await expectFreshProcessToAgree();
    await append(fresh, 500, 1);
    await fresh.log.drainAll();
    expect((await fresh.checkpoints.load(person)).rev).toBe(501);
    await expectFreshProcessToAgree();
  });
});
