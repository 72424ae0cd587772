import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, newUuid } from '../../../platform/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import {
  openLog,
  puffNumber,
  recount,
  sendUntilAcknowledged,
  type LogProcess,
} from '../../../../test/puff-log.ts';
import { UnknownOutcomeError, type PuffStore } from '../log/puff-store.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe('the log of puffs', () => {
  let database: TestDatabase;
  let processes: LogProcess[];
  let person: string;

  const open = async (options?: Parameters<typeof openLog>[1]) => {
    const process = await openLog(database.uri, options);
    processes.push(process);
    return process;
  };

  beforeEach(async () => {
    database = await openTestDatabase();
    processes = [];
    person = newId();
  });

  afterEach(async () => {
    for (const process of processes) {
      await process.log.stop();
      await process.close();
    }
    await database.drop();
  });

  it('counts a puff once if it is sent several times', async () => {
    const { log, store } = await open();
    const puff = puffNumber(4);
    const first = await log.append(person, [puff], 0);
    const second = await log.append(person, [puff, puff], 0);
    expect(first.outcomes).toMatchObject([{ status: 'created', puff: { rev: 1 } }]);
    expect(second.outcomes).toEqual([{ status: 'duplicate' }, { status: 'duplicate' }]);
    expect((await log.history(person)).total).toBe(puff.quantity);
    expect((await recount(store, person)).records).toBe(1);
  });

  it('counts the same id twice in one group once', async () => {
    const { log, store } = await open();
    const puff = puffNumber(1);
    const answers = await Promise.all(range(20).map(() => log.append(person, [puff], 0)));
    const statuses = answers.map(({ outcomes }) => outcomes[0]?.status);
    expect(statuses.filter((status) => status === 'created')).toHaveLength(1);
    expect((await recount(store, person)).records).toBe(1);
  });

  it('queries an id once that a batch repeats a hundred times', async () => {
    let inserts = 0;
    const { log } = await open({
      wrapStore: (real): PuffStore => ({
        ...real,
        insert(puffs) {
          inserts += 1;
          return real.insert(puffs);
        },
      }),
    });
    const puff = puffNumber(1);
    const { outcomes } = await log.append(
      person,
      range(100).map(() => puff),
      0,
    );
    expect(outcomes.filter(({ status }) => status === 'created')).toHaveLength(1);
    expect(inserts).toBe(1);
  });

  it('writes its checkpoints while puffs keep coming', async () => {
    const { log, checkpoints } = await open({ checkpointEveryMs: 1_000_000 });
    const done = new AbortController();
    const busy = range(4).map(async () => {
      while (!done.signal.aborted) await log.append(person, [{ ...puffNumber(2), id: newUuid() }], 0);
    });
    await log.append(newId(), [puffNumber(1)], 0);
    await log.history(person);
    await log.flush();
    expect((await checkpoints.load(person)).rev).toBeGreaterThan(0);
    done.abort();
    await Promise.all(busy);
  });

  it('returns a state that counts a batch which another process recorded', async () => {
    const [one, other] = [await open(), await open()];
    await other.log.append(person, [puffNumber(0)], 0);
    const puffs = [puffNumber(1), puffNumber(2)];
    await one.log.append(person, puffs, 0);
    const { outcomes, state } = await other.log.append(person, puffs, 0);
    expect(outcomes).toEqual([{ status: 'duplicate' }, { status: 'duplicate' }]);
    expect(state.records).toBe(3);
  });

  it('queries only the ids of a batch when the person is cached', async () => {
    let reads = 0;
    const { log } = await open({
      wrapStore: (store) => ({
        ...store,
        readAfter(...asked) {
          reads += 1;
          return store.readAfter(...asked);
        },
      }),
    });
    await log.append(person, [puffNumber(0)], 0);
    const before = reads;
    await log.append(person, [puffNumber(1), puffNumber(2)], 0);
    expect(reads).toBe(before);
  });

  it('keeps the same id of two people apart', async () => {
    const { log } = await open();
    const other = newId();
    const puff = puffNumber(1);
    const answers = await Promise.all([log.append(person, [puff], 0), log.append(other, [puff], 0)]);
    expect(answers.map(({ outcomes }) => outcomes[0]?.status)).toEqual(['created', 'created']);
  });

  it('records 200 concurrent puffs of one user, each with a state that counts it', async () => {
    const { log, store } = await open();
    const answers = await Promise.all(range(200).map((index) => log.append(person, [puffNumber(index)], 0)));
    const revs = answers.map(({ outcomes }) =>
      outcomes[0]?.status === 'created' ? outcomes[0].puff.rev : undefined,
    );
    expect(new Set(revs)).toEqual(new Set(range(200).map((index) => index + 1)));
    expect(answers.every(({ state }, index) => state.rev >= (revs[index] ?? Infinity))).toBe(true);
    expect(json(await log.history(person))).toEqual(json(await recount(store, person)));
  });

  it('leaves at most 1 % of empty records where 10,000 puffs are sent five times', async () => {
    const { log, store } = await open();
    const batches = range(20).map((batch) => range(500).map((index) => puffNumber(batch * 500 + index)));
    const created = new Map<string, number>();
    for (let round = 0; round < 5; round++)
      await Promise.all(batches.map((batch) => sendUntilAcknowledged(log, person, batch, created)));
    const state = await recount(store, person);
    expect(state.records).toBe(10_000);
    expect([...created.values()].every((times) => times === 1)).toBe(true);
    expect(state.rev - state.records).toBeLessThanOrEqual(100);
    expect(json(await log.history(person))).toEqual(json(state));
  });

  it('records puffs of the same users in two processes at once', async () => {
    const [left, right] = [await open(), await open()];
    const people = [person, newId(), newId()];
    const created = new Map<string, number>();
    const puffs = people.map(() => range(150).map((index) => puffNumber(index)));
    // Every puff goes to both, alone or three at a time, so that ids and numbers clash all the time.
    await Promise.all(
      people.flatMap((id, who) =>
        range(50).flatMap((third) => {
          const three = puffs[who]?.slice(third * 3, third * 3 + 3) ?? [];
          return [
            sendUntilAcknowledged(left.log, id, three, created),
            ...three.map((puff) => sendUntilAcknowledged(right.log, id, [puff], created)),
          ];
        }),
      ),
    );
    expect([...created.values()].filter((times) => times !== 1)).toEqual([]);
    for (const id of people) {
      const counted = await recount(left.store, id);
      expect(counted.records).toBe(150);
      for (const { log } of [left, right]) expect(json(await log.history(id))).toEqual(json(counted));
    }
  });

  it('counts a puff with an unknown outcome once when the client repeats it', async () => {
    let replies = 0;
    const { log, store } = await open({
      wrapStore: (real): PuffStore => ({
        ...real,
        async insert(puffs) {
          const taken = await real.insert(puffs);
          if (replies++ % 2 === 0) throw new UnknownOutcomeError('the reply was lost');
          return taken;
        },
      }),
    });
    const puffs = range(12).map((index) => puffNumber(index));
    await expect(log.append(person, puffs, 0)).rejects.toMatchObject({ code: 'overloaded' });
    await Promise.all(puffs.map((puff) => sendUntilAcknowledged(log, person, [puff])));
    const counted = await recount(store, person);
    expect(counted.records).toBe(12);
    expect(json(await log.history(person))).toEqual(json(counted));
  });

  it('fills a sequence gap left by a crash before it reads past it', async () => {
    const crashed = await open({
      wrapStore: (real): PuffStore => ({
        ...real,
        async insert(puffs) {
          await real.insert(puffs.filter(({ puff }) => puff.rev !== 2));
          throw new UnknownOutcomeError('killed in the middle of the write');
        },
      }),
    });
    const puffs = range(3).map((index) => puffNumber(index));
    await expect(crashed.log.append(person, puffs, 0)).rejects.toMatchObject({ code: 'overloaded' });

    const { log, store } = await open();
    expect((await log.history(person)).rev).toBe(3);
    expect((await recount(store, person)).records).toBe(2);
    const again = await log.append(person, puffs, 0);
    expect(again.outcomes.map(({ status }) => status)).toEqual(['duplicate', 'created', 'duplicate']);
    expect((await recount(store, person)).records).toBe(3);
  });

  it('does not delay other users while the log of one is slow', async () => {
    const slow = newId();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { log } = await open({
      wrapStore: (real): PuffStore => ({
        ...real,
        async readAfter(id, rev, limit) {
          if (id === slow) await gate;
          return real.readAfter(id, rev, limit);
        },
      }),
    });
    const held = log.append(slow, [puffNumber(0)], 0);
    await Promise.all(range(30).map(() => log.append(newId(), [puffNumber(0)], 0)));
    release();
    await expect(held).resolves.toMatchObject({ outcomes: [{ status: 'created' }] });
  });

  it('throws overloaded at its bound, and records the same puffs afterwards', async () => {
    const { log } = await open({ maxQueued: 100 });
    const batch = range(60).map((index) => puffNumber(index));
    const first = log.append(person, batch, 0);
    await expect(
      log.append(
        person,
        range(60).map((index) => puffNumber(index, newUuid())),
        0,
      ),
    ).rejects.toMatchObject({ code: 'overloaded', details: { retryAfterSeconds: 1 } });
    await first;
    await expect(log.append(person, [puffNumber(1)], 0)).resolves.toMatchObject({
      outcomes: [{ status: 'created' }],
    });
  });

  it('refuses more than 5,000 puffs per local day', async () => {
    const { log } = await open();
    const at = (quantity: number) => ({ ...puffNumber(0), id: newUuid(), quantity });
    await log.append(
      person,
      range(99).map(() => at(50)),
      0,
    );
    const { outcomes } = await log.append(person, [at(40), at(20), at(10), at(1)], 0);
    expect(outcomes.map(({ status }) => status)).toEqual(['created', 'day-full', 'created', 'day-full']);
    await expect(log.append(person, [at(1)], 0)).resolves.toMatchObject({
      outcomes: [{ status: 'day-full' }],
    });
    await expect(log.append(person, [puffNumber(100)], 0)).resolves.toMatchObject({
      outcomes: [{ status: 'created' }],
    });
  });
});
