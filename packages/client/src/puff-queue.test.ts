import { afterEach, describe, expect, test } from '@jest/globals';
import type { BatchPuffInput, BatchResult } from '@pufftrack/contract';
import { problem, startTestServer, type ScriptedAnswer } from '../test/server.ts';
import { createClient } from './client.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Stores by id, as the server does; `script` gives the fate of each call before and after storing. */
const startPuffServer = async (
  script: (puffs: BatchPuffInput[], callNumber: number) => ScriptedAnswer | undefined,
) => {
  const stored = new Map<string, BatchPuffInput>();
  const sizes: number[] = [];
  const resultOf = (puff: BatchPuffInput): BatchResult => {
    if (puff.quantity === 51) return { id: puff.id, status: 'rejected', code: 'invalid' };
    const status = stored.has(puff.id) ? 'duplicate' : 'created';
    if (status === 'created') stored.set(puff.id, puff);
    return { id: puff.id, status };
  };
  const server = await startTestServer(({ body }) => {
    const { puffs } = body as { puffs: BatchPuffInput[] };
    sizes.push(puffs.length);
    const fate = script(puffs, sizes.length);
    if (fate !== undefined && fate !== 'lost') return fate;
    const results = puffs.map(resultOf);
    return fate ?? { status: 200, body: { results, stats: { totalPuffCount: stored.size } } };
  });
  closers.push(server.close);
  const client = createClient({ baseUrl: server.baseUrl, now: () => 1_700_000_000_000 });
  return { queue: client.queue, stored, sizes };
};

const addMany = async (queue: { add: (puff: object) => Promise<BatchPuffInput> }, count: number) => {
  const puffs: BatchPuffInput[] = [];
  for (let i = 0; i < count; i += 1) puffs.push(await queue.add({ quantity: 1 }));
  return puffs;
};

describe('flush', () => {
  test('gives an id and a time, and sends batches of at most 500', async () => {
    const { queue, stored, sizes } = await startPuffServer(() => undefined);
    const [first] = await addMany(queue, 1201);
    expect(first).toMatchObject({ timestamp: '2023-11-14T22:13:20.000Z', quantity: 1 });
    expect(await queue.flush()).toMatchObject({ created: 1201, pending: 0, stoppedBy: undefined });
    expect(sizes).toEqual([500, 500, 201]);
    expect(stored.size).toBe(1201);
  });

  test('converges when acks are lost: every puff once, whatever the number of attempts', async () => {
    const { queue, stored } = await startPuffServer((_puffs, call) => (call % 3 === 0 ? undefined : 'lost'));
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

  test('a final rejection leaves the queue and is reported', async () => {
    const { queue } = await startPuffServer(() => undefined);
    await addMany(queue, 2);
    const bad = await queue.add({ quantity: 51 });
    const result = await queue.flush();
    expect(result).toMatchObject({ created: 2, pending: 0 });
    expect(result.rejected).toMatchObject([{ puff: bad, result: { code: 'invalid' } }]);
  });

  test.each(['forbidden-key', 'internal'] as const)(
    'an item that gets its batch %s is set aside, the others go through',
    async (code) => {
      const { queue, stored } = await startPuffServer((puffs) =>
        puffs.some(({ trigger }) => trigger === 'poison') ? problem(code) : undefined,
      );
      await addMany(queue, 40);
      const poison = await queue.add({ trigger: 'poison' });
      await addMany(queue, 600);
      const result = await queue.flush();
      expect(result).toMatchObject({ created: 640, pending: 1, stoppedBy: undefined });
      expect(result.refused).toMatchObject([{ puff: poison, error: { code } }]);
      await addMany(queue, 1);
      expect(await queue.flush()).toMatchObject({ created: 1, pending: 1 });
      expect(stored.size).toBe(641);
      await queue.remove([poison.id]);
      expect(await queue.list()).toEqual([]);
    },
  );

  test('a server that refuses everything is left alone soon, and nothing is lost', async () => {
    const { queue, sizes } = await startPuffServer(() => problem('malformed'));
    await addMany(queue, 500);
    expect(await queue.flush()).toMatchObject({ pending: 500, stoppedBy: { code: 'malformed' } });
    expect(sizes.length).toBeLessThan(20);
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
});
