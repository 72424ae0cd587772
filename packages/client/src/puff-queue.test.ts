import { afterEach, describe, expect, test } from '@jest/globals';
import type { BatchPuffInput, BatchResult } from '@pufftrack/contract';
import { problem, startTestServer, type ScriptedAnswer } from '../test/server.ts';
import { createClient } from './client.ts';
import { timestampWithOffset } from './phone-timestamp.ts';
import { memoryPuffStorage, type StoredRow } from './puff-storage.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Stores by id, as the server does; `script` gives the fate of each call before and after storing. */
const startPuffServer = async (
  script: (
    puffs: BatchPuffInput[],
    callNumber: number,
  ) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>,
  rows: StoredRow[] = [],
) => {
  const stored = new Map<string, BatchPuffInput>();
  const sizes: number[] = [];
  const deletions: string[] = [];
  const resultOf = (puff: BatchPuffInput): BatchResult => {
    if (puff.quantity === 51) return { id: puff.id, status: 'rejected', code: 'invalid' };
    const status = stored.has(puff.id) ? 'duplicate' : 'created';
    if (status === 'created') stored.set(puff.id, puff);
    return { id: puff.id, status };
  };
  const server = await startTestServer(async ({ method, url, body }) => {
    if (method === 'DELETE') {
      const id = url.replace('/puffs/', '');
      deletions.push(id);
      return stored.delete(id)
        ? { status: 200, body: { stats: { totalPuffCount: stored.size } } }
        : problem('not-found');
    }
    const { puffs } = body as { puffs: BatchPuffInput[] };
    sizes.push(puffs.length);
    const fate = await script(puffs, sizes.length);
    if (fate !== undefined && fate !== 'lost') return fate;
    const results = puffs.map(resultOf);
    return fate ?? { status: 200, body: { results, stats: { totalPuffCount: stored.size } } };
  });
  closers.push(server.close);
  const storage = memoryPuffStorage(rows);
  /** The app after a restart: another client on the same storage. */
  const restart = () =>
    createClient({ baseUrl: server.baseUrl, now: () => 1_700_000_000_000, puffs: storage }).queue;
  return { queue: restart(), restart, stored, sizes, deletions };
};

const uuid = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

const addMany = async (queue: { add: (puff: object) => Promise<BatchPuffInput> }, count: number) => {
  const puffs: BatchPuffInput[] = [];
  for (let i = 0; i < count; i += 1) puffs.push(await queue.add({ quantity: 1 }));
  return puffs;
};

describe('flush', () => {
  test('gives an id and a time with the offset of the device, and sends larger batches as they succeed', async () => {
    const { queue, stored, sizes } = await startPuffServer(() => undefined);
    const [first] = await addMany(queue, 1199);
    expect(first).toMatchObject({ timestamp: timestampWithOffset(new Date(1_700_000_000_000)), quantity: 1 });
    const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(await queue.add({ timeZone: here })).toMatchObject({ timestamp: first?.timestamp });
    const elsewhere = here === 'Asia/Tokyo' ? 'Europe/Berlin' : 'Asia/Tokyo';
    expect(await queue.add({ timeZone: elsewhere })).toMatchObject({ timestamp: '2023-11-14T22:13:20.000Z' });
    expect(await queue.flush()).toMatchObject({ created: 1201, pending: 0, stoppedBy: undefined });
    expect(sizes).toEqual([100, 150, 225, 338, 388]);
    expect(stored.size).toBe(1201);
  });

  test('converges when acks are lost: every puff once, whatever the number of attempts', async () => {
    const { queue, stored } = await startPuffServer((_puffs, call) => (call % 3 === 0 ? 'lost' : undefined));
    const added = await addMany(queue, 1100);
    let created = 0;
    let duplicates = 0;
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const result = await queue.flush();
      created += result.created;
      duplicates += result.duplicates;
      if (result.pending === 0) break;
      expect(result.stoppedBy).toMatchObject({ code: 'network' });
    }
    expect(await queue.list()).toEqual([]);
    expect([...stored.keys()].sort()).toEqual(added.map(({ id }) => id).sort());
    expect(created + duplicates).toBe(1100);
    expect(duplicates).toBeGreaterThan(0);
  });

  test.each([
    ['overloaded', 5000],
    ['rate-limited', 5000],
    ['consent-required', undefined],
    ['upgrade-required', undefined],
  ] as const)('%s keeps everything', async (code, retryAfterMs) => {
    const headers: Record<string, string> = retryAfterMs ? { 'retry-after': '5' } : {};
    const { queue, sizes } = await startPuffServer(() => problem(code, headers));
    await addMany(queue, 3);
    const result = await queue.flush();
    expect(result).toMatchObject({ created: 0, pending: 3, stoppedBy: { code } });
    expect(result.stoppedBy?.retryAfterMs).toBe(retryAfterMs);
    expect(sizes).toEqual([3]);
  });

  test('a puff that a server error follows even alone stays queued, and the others go through', async () => {
    const { queue, stored } = await startPuffServer((puffs) =>
      puffs.some(({ trigger }) => trigger === 'poison') ? problem('internal') : undefined,
    );
    await addMany(queue, 40);
    const poison = await queue.add({ trigger: 'poison' });
    await addMany(queue, 600);
    const result = await queue.flush();
    expect(result).toMatchObject({ created: 640, pending: 1, stoppedBy: undefined });
    expect(result.refused).toMatchObject([{ puff: poison, error: { code: 'internal' } }]);
    await addMany(queue, 1);
    expect(await queue.flush()).toMatchObject({ created: 1, pending: 1 });
    expect(stored.size).toBe(641);
    expect(await queue.rejected()).toEqual([]);
    expect(await queue.list()).toEqual([poison]);
  });

  test('a server that refuses everything is left alone soon, and nothing is lost', async () => {
    const { queue, sizes } = await startPuffServer(() => problem('malformed'));
    await addMany(queue, 500);
    const result = await queue.flush();
    expect(result).toMatchObject({ stoppedBy: { code: 'malformed' } });
    expect(result.pending + (await queue.rejected()).length).toBe(500);
    expect(sizes.length).toBeLessThan(40);
  });

  test('concurrent flushes are one, and cover what was added before each', async () => {
    const { queue, sizes } = await startPuffServer(() => undefined);
    await addMany(queue, 10);
    const first = queue.flush();
    await addMany(queue, 1);
    const second = queue.flush();
    expect(await second).toBe(await first);
    expect(await first).toMatchObject({ created: 11, pending: 0 });
    expect(sizes.reduce((sum, size) => sum + size)).toBe(11);
  });

  test('rows of version 0.1 load, and are recorded', async () => {
    const old = { id: uuid(1), timestamp: '2026-10-21T10:00:00.000Z', quantity: 2 };
    const { queue, stored } = await startPuffServer(() => undefined, [old]);
    expect(await queue.list()).toEqual([old]);
    expect(await queue.flush()).toMatchObject({ created: 1, pending: 0 });
    expect(stored.get(old.id)).toEqual(old);
  });
});

describe('rejected puffs', () => {
  test('stay in a list over restarts until they are corrected, sent again or discarded', async () => {
    const { queue, restart, stored } = await startPuffServer((puffs) =>
      puffs.some(({ trigger }) => trigger === 'poison') ? problem('forbidden-key') : undefined,
    );
    await addMany(queue, 30);
    const invalid = await queue.add({ quantity: 51 });
    const poison = await queue.add({ trigger: 'poison' });
    const other = await queue.add({ quantity: 51 });
    await addMany(queue, 30);
    const result = await queue.flush();
    expect(result).toMatchObject({ created: 60, pending: 0, stoppedBy: undefined });
    expect(result.rejected).toHaveLength(3);

    const later = restart();
    expect(await later.rejected()).toMatchObject([
      { puff: invalid, result: { code: 'invalid' } },
      { puff: poison, result: { code: 'forbidden-key', detail: 'forbidden-key' } },
      { puff: other, result: { code: 'invalid' } },
    ]);
    expect(await later.list()).toEqual([]);
    expect(await later.flush()).toMatchObject({ created: 0, pending: 0 });

    expect(await later.correct(invalid.id, { quantity: 5 })).toEqual({ ...invalid, quantity: 5 });
    expect(await later.resend(other.id)).toEqual(other);
    expect(await later.discard(poison.id)).toBe(true);
    expect(await later.flush()).toMatchObject({ created: 1, pending: 0 });
    expect(stored.get(invalid.id)).toMatchObject({ quantity: 5 });
    expect(await later.rejected()).toMatchObject([{ puff: other }]);
    expect(await later.correct(invalid.id, {})).toBeUndefined();
    expect(await later.discard(invalid.id)).toBe(false);
  });

  test('are replaced by a corrected copy under the same id', async () => {
    const { queue, stored } = await startPuffServer(() => undefined);
    const { id } = await queue.add({ quantity: 51 });
    await queue.flush();
    await queue.add({ id: id.toUpperCase(), quantity: 3 });
    expect(await queue.flush()).toMatchObject({ created: 1, pending: 0 });
    expect(stored.get(id)).toMatchObject({ quantity: 3 });
    expect(await queue.rejected()).toEqual([]);
  });
});

describe('remove', () => {
  test('cancels a queued puff without a call, also after a refusal that recorded nothing', async () => {
    const { queue, sizes, deletions } = await startPuffServer((_puffs, call) =>
      call === 1 ? problem('rate-limited') : undefined,
    );
    const [first, second] = await addMany(queue, 2);
    await queue.flush();
    await queue.remove([first?.id ?? '', second?.id ?? '']);
    expect(await queue.flush()).toMatchObject({ created: 0, removed: 0, pending: 0 });
    expect(sizes).toEqual([2]);
    expect(deletions).toEqual([]);
  });

  test('deletes a puff that is under way after its creation was answered', async () => {
    const { queue, stored, deletions } = await startPuffServer(async (puffs) => {
      await queue.remove([puffs[0]?.id.toUpperCase() ?? '']);
      return undefined;
    });
    const [first, second] = await addMany(queue, 2);
    expect(await queue.flush()).toMatchObject({ created: 2, removed: 1, pending: 0 });
    expect([...stored.keys()]).toEqual([second?.id]);
    expect(deletions).toEqual([first?.id]);
  });

  test.each(['after the answer was lost', 'before the request arrived'])(
    'survives a restart %s: created again, then deleted',
    async (when) => {
      const { queue, restart, stored, sizes, deletions } = await startPuffServer((puffs, call) => {
        if (call > 1) return undefined;
        if (when === 'before the request arrived') return { status: 502 };
        for (const puff of puffs) stored.set(puff.id, puff);
        return 'lost';
      });
      const [first, second] = await addMany(queue, 2);
      expect(await queue.flush()).toMatchObject({ pending: 2, stoppedBy: { code: 'network' } });
      const later = restart();
      await later.remove([first?.id ?? '']);
      expect(await later.list()).toEqual([second]);
      const last = restart();
      expect(await last.flush()).toMatchObject({ removed: 1, pending: 0 });
      expect([...stored.keys()]).toEqual([second?.id]);
      expect(sizes.slice(1).reduce((sum, size) => sum + size)).toBe(2);
      expect(deletions).toEqual([first?.id]);
    },
  );

  test('deletes a puff that was recorded before, and ignores what no server knows', async () => {
    const { queue, stored, deletions } = await startPuffServer(() => undefined);
    const [first] = await addMany(queue, 1);
    await queue.flush();
    await queue.remove([first?.id ?? '', uuid(7), '', '..', 'x']);
    expect(await queue.flush()).toMatchObject({ removed: 2, pending: 0 });
    expect(stored.size).toBe(0);
    expect(deletions).toEqual([first?.id, uuid(7)]);
  });

  test('of a puff that may be on the server needs no consent', async () => {
    let isLost = true;
    const { queue, stored, deletions } = await startPuffServer((puffs) => {
      if (!isLost) return problem('consent-required');
      for (const puff of puffs) stored.set(puff.id, puff);
      return 'lost';
    });
    const [first, second] = await addMany(queue, 2);
    await queue.flush();
    isLost = false;
    await queue.remove([first?.id ?? '']);
    expect(await queue.flush()).toMatchObject({
      removed: 1,
      pending: 1,
      stoppedBy: { code: 'consent-required' },
    });
    expect([...stored.keys()]).toEqual([second?.id]);
    expect(deletions).toEqual([first?.id]);
  });
});
