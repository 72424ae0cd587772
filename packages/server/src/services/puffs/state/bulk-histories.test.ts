import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '../../../platform/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { openLog, puffNumber, recount, type LogProcess } from '../../../../test/puff-log.ts';
import { createPuffStore } from '../log/puff-store.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
const never = 1_000_000;

describe('the histories of many people', () => {
  let database: TestDatabase;
  let processes: LogProcess[];

  const open = async (options: Parameters<typeof openLog>[1] = {}) => {
    const process = await openLog(database.uri, { checkpointEveryMs: never, ...options });
    processes.push(process);
    return process;
  };
  const record = async ({ log }: LogProcess, people: readonly string[], from: number, count: number) => {
    const puffs = () => range(count).map((index) => puffNumber(from + index));
    await Promise.all(people.map((person) => log.append(person, puffs(), 0)));
  };
  /** A process that records its queries. */
  const openCounting = async () => {
    const asked: string[] = [];
    const process = await open({
      wrapStore: (store) => ({
        ...store,
        readAfter: (...range) => (asked.push('log of one'), store.readAfter(...range)),
      }),
      wrapBulk: (many) => ({
        newestRevs: (people) => (asked.push('newest'), many.newestRevs(people)),
        readRanges: (ranges) => {
          if (ranges.size > 0) asked.push(`logs of ${ranges.size}`);
          return many.readRanges(ranges);
        },
      }),
      wrapCheckpoints: (store) => ({
        ...store,
        load: (person) => (asked.push('totals of one'), store.load(person)),
        loadMonths: (person, months) => (asked.push('months of one'), store.loadMonths(person, months)),
      }),
    });
    return { ...process, asked };
  };
  const read = async ({ log }: LogProcess, people: readonly string[]) =>
    log.histories(
      new Map([...people.map((person) => [person, 0] as const), ...(await log.newestRevs(people))]),
    );
  const expectAgreement = async (process: LogProcess, people: readonly string[]) => {
    const histories = await read(process, people);
    expect([...histories.keys()].sort()).toEqual([...people].sort());
    for (const person of people)
      expect(json(histories.get(person))).toEqual(json(await recount(process.store, person)));
  };

  beforeEach(async () => {
    database = await openTestDatabase();
    processes = [];
  });
  afterEach(async () => {
    for (const process of processes) {
      await process.log.stop();
      await process.close();
    }
    await database.drop();
  });

  it('are read together from checkpoints and newer log entries', async () => {
    const writer = await open();
    const people = range(30).map(() => newId());
    const [quiet, busy, fresh] = [people.slice(0, 10), people.slice(10, 20), people.slice(20, 25)];
    await record(writer, [...quiet, ...busy], 0, 60);
    await writer.log.drainAll();
    await record(writer, [...busy, ...fresh], 60, 7);
    const reader = await openCounting();
    await expectAgreement(reader, people);
    expect(reader.asked).toEqual(['newest', 'logs of 15']);
    // Now all of them are in memory, and their newest numbers say that nothing is missing.
    await expectAgreement(reader, people);
    expect(reader.asked.slice(2)).toEqual(['newest']);
    await record(writer, [busy[0]!, quiet[0]!], 67, 3);
    await expectAgreement(reader, people);
    expect(reader.asked.slice(3)).toEqual(['newest', 'logs of 2']);
  });

  it('are correct in a process that records for the same users meanwhile', async () => {
    const [one, other] = [await open(), await open()];
    const people = range(8).map(() => newId());
    await Promise.all([
      ...range(6).map((turn) => record(one, people, turn * 5, 5)),
      ...range(6).map((turn) => record(other, people, 100 + turn * 5, 5)),
      ...range(6).flatMap(() => [read(one, people), read(other, people)]),
    ]);
    await expectAgreement(one, people);
    await expectAgreement(other, people);
  });

  it('count records after a sequence gap of a crash', async () => {
    const writer = await open();
    const [person, other] = [newId(), newId()];
    await record(writer, [person, other], 0, 3);
    const store = createPuffStore(database.connection);
    const { log } = writer;
    const { rev } = await log.history(person);
    const late = puffNumber(9);
    await store.insert([{ person, puff: { ...late, rev: rev + 2 } }]);
    const reader = await open();
    await expectAgreement(reader, [person, other]);
    expect((await read(reader, [person])).get(person)?.rev).toBe(rev + 2);
    await expectAgreement(writer, [person, other]);
  });

  it('are read in several queries when logs are long, and one by one for a very long log', async () => {
    const writer = await open();
    const people = range(4).map(() => newId());
    await record(writer, people, 0, 1_700);
    await record(writer, people.slice(3), 1_700, 3_400);
    const reader = await openCounting();
    await expectAgreement(reader, people);
    expect(reader.asked).toEqual(['newest', 'logs of 2', 'logs of 1', 'log of one', 'log of one']);
  });

  it('are empty for an empty list and for people without a puff', async () => {
    const reader = await openCounting();
    expect(await read(reader, [])).toEqual(new Map());
    expect(reader.asked).toEqual(['newest']);
    const [state] = [...(await read(reader, [newId()])).values()];
    expect(state).toMatchObject({ rev: 0, total: 0 });
  });
});
