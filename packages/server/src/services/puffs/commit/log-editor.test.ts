import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '../../../platform/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { liveRecount, trimmedDays } from '../../../../test/live-recount.ts';
import {
  logNow,
  openLog,
  puffNumber,
  sendUntilAcknowledged,
  type LogProcess,
} from '../../../../test/puff-log.ts';
import type { EditCommand } from './log-editor.ts';
import { editedPuff } from '../domain/puff.ts';
import { UnknownOutcomeError } from '../log/puff-store.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
const hour = 3_600_000;

/** Everything that can be done to one puff, as phones do it: absolute values, safe to send again. */
const edit = (target: string, change: { quantity?: number; hoursLater?: number }): EditCommand => ({
  target,
  at: logNow,
  dayStartHour: 0,
  decide(found) {
    if (found?.deletedAt !== null) return undefined;
    const timestamp = new Date(found.puff.timestamp + (change.hoursLater ?? 0) * hour).toISOString();
    const values = editedPuff(found.puff, { quantity: change.quantity, timestamp }, logNow + 100 * hour);
    return values === found.puff ? undefined : { values, deletedAt: null };
  },
});
const remove = (target: string): EditCommand => ({
  target,
  at: logNow,
  dayStartHour: 0,
  decide: (found) => (found?.deletedAt === null ? { values: found.puff, deletedAt: logNow } : undefined),
});
const restore = (target: string): EditCommand => ({
  target,
  at: logNow,
  dayStartHour: 0,
  decide: (found) =>
    found && found.deletedAt !== null ? { values: found.puff, deletedAt: null } : undefined,
});

describe('edits of puffs', () => {
  let database: TestDatabase;
  let processes: LogProcess[];
  let person: string;

  const open = async (options?: Parameters<typeof openLog>[1]) => {
    const process = await openLog(database.uri, options);
    processes.push(process);
    return process;
  };
  const record = async ({ log }: LogProcess, count: number) => {
    const puffs = range(count).map((index) => puffNumber(index * 9));
    await log.append(person, puffs, 0);
    return puffs;
  };
  /** Every process, and one that was not there before, sees exactly what the live records say. */
  const expectAgreement = async () => {
    await open();
    for (const { log } of processes) {
      const history = await log.history(person, 0);
      expect(json(history)).toEqual(await liveRecount(database.connection, person));
      const days = range(60).map((index) => Math.floor(logNow / (24 * hour)) - index);
      for (const dayStartHour of [0, 5])
        expect(
          days.filter((day) => history.marksOn(day, dayStartHour).lateRemoval).sort((a, b) => a - b),
        ).toEqual(await trimmedDays(database.connection, person, { dayStartHour, days }));
    }
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

  it('move a puff to another day and quantity', async () => {
    const here = await open();
    const [first] = await record(here, 40);
    const { puff, state } = await here.log.change(person, edit(first!.id, { quantity: 7, hoursLater: 30 }));
    expect(puff).toMatchObject({ quantity: 7, timestamp: first!.timestamp + 30 * hour, rev: 41 });
    expect(state.rev).toBe(41);
    await expectAgreement();
  });

  it('delete, restore and delete again, and find the newest puff each time', async () => {
    const here = await open();
    const puffs = await record(here, 5);
    const newest = puffs.at(-1)!;
    await here.log.change(person, remove(newest.id));
    expect((await here.log.history(person)).lastPuffAt).toBe(puffs.at(-2)!.timestamp);
    await expectAgreement();
    await here.log.change(person, restore(newest.id));
    expect((await here.log.history(person)).lastPuffAt).toBe(newest.timestamp);
    for (const { id } of puffs) await here.log.change(person, remove(id));
    expect((await here.log.history(person)).lastPuffAt).toBeNull();
    await expectAgreement();
  });

  it('mark a day that lost a puff late, until the puff is restored', async () => {
    const here = await open();
    const puffs = await record(here, 60);
    const [first] = puffs;
    const date = first!.wall.dayNumber;
    const marked = async ({ log }: LogProcess) => (await log.history(person, 0)).marksOn(date, 0).lateRemoval;
    const toToday = { hoursLater: (logNow - first!.timestamp) / hour };
    const steps: [EditCommand, boolean][] = [
      [edit(first!.id, { quantity: 9 }), false],
      [edit(first!.id, { quantity: 8 }), true],
      [edit(first!.id, { quantity: 9 }), false],
      [edit(first!.id, toToday), true],
      [remove(first!.id), true],
      [restore(first!.id), true],
      [edit(first!.id, { hoursLater: -toToday.hoursLater }), false],
      [edit(first!.id, { hoursLater: 1 }), false],
      [remove(first!.id), true],
    ];
    for (const [change, expected] of steps) {
      await here.log.change(person, change);
      expect(await marked(here)).toBe(expected);
      await expectAgreement();
    }
    // Without the rows of the checkpoint everything is counted from the records.
    for (const process of processes.splice(0)) {
      await process.log.stop();
      await process.close();
    }
    const there = await open();
    await there.checkpoints.drop(person);
    expect(await marked(there)).toBe(true);
    await expectAgreement();
  });

  it('write nothing when no value changes', async () => {
    const here = await open();
    const [first] = await record(here, 3);
    await here.log.change(person, remove(first!.id));
    for (const again of [remove(first!.id), edit(first!.id, { quantity: 2 }), remove('no-such-puff')])
      expect(await here.log.change(person, again)).toMatchObject({ changed: false });
    expect((await here.log.history(person)).rev).toBe(4);
  });

  it('hide everything before a deletion of all, and count later puffs', async () => {
    const [here, there] = [await open(), await open()];
    const puffs = await record(here, 30);
    await here.log.drainAll();
    await there.log.history(person);
    expect(await here.log.clear(person, logNow, logNow)).toMatchObject({ deleted: 30 });
    expect(await here.log.clear(person, logNow, logNow)).toMatchObject({ deleted: 0 });
    expect(await there.log.change(person, restore(puffs[0]!.id))).toMatchObject({ changed: false });
    await there.log.append(person, [puffNumber(5)], 0);
    await there.log.drainAll();
    await here.log.append(person, [puffNumber(11)], 0);
    await expectAgreement();
    expect((await here.log.history(person)).records).toBe(2);
  });

  it('roll back an unknown outcome, so that a repeated call counts once', async () => {
    let lost = 0;
    const here = await open({
      wrapStore: (store) => ({
        ...store,
        async insertChange(...change) {
          const inserted = await store.insertChange(...change);
          if (lost++ === 0) throw new UnknownOutcomeError('the reply was lost');
          return inserted;
        },
      }),
    });
    const [first] = await record(here, 3);
    await expect(here.log.change(person, remove(first!.id))).rejects.toMatchObject({ code: 'overloaded' });
    expect(await here.log.change(person, remove(first!.id))).toMatchObject({ changed: false });
    await expectAgreement();
  });

  it('lose no edit and no puff with three concurrent processes', async () => {
    const all = [await open(), await open(), await open()];
    const at = (index: number) => all[index % all.length]!.log;
    const puffs = await record(all[0]!, 30);
    const retryOnConflict = async (index: number, wanted: EditCommand): Promise<void> => {
      for (;;) {
        try {
          await at(index).change(person, wanted);
          return;
        } catch (error) {
          if ((error as { code?: string }).code !== 'overloaded') throw error;
        }
      }
    };
    const work = fc.sample(
      fc.record({
        kind: fc.constantFrom('edit', 'remove', 'restore', 'puff'),
        target: fc.nat(29),
        quantity: fc.integer({ min: 1, max: 5 }),
        hoursLater: fc.integer({ min: -30, max: 30 }),
      }),
      { numRuns: 120, seed: 20_261_025 },
    );
    const done = new AbortController();
    const flusher = (async () => {
      while (!done.signal.aborted) for (const { log } of all) await log.drainAll().catch(() => undefined);
    })();
    await Promise.all(
      all.map(async (_process, line) => {
        for (const [index, { kind, target, ...change }] of work.entries()) {
          if (index % all.length !== line) continue;
          const { id } = puffs[target]!;
          if (kind === 'puff') await sendUntilAcknowledged(at(line), person, [puffNumber(200 + index)]);
          else if (kind === 'edit') await retryOnConflict(line, edit(id, change));
          else await retryOnConflict(line, kind === 'remove' ? remove(id) : restore(id));
        }
      }),
    );
    done.abort();
    await flusher;
    await expectAgreement();
  });
});
