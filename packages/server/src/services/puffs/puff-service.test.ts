import { expect, it } from '@jest/globals';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { UserStats } from '@pufftrack/contract';
import { newUuid } from '../../platform/ids.ts';
import { createPuffService } from './puff-service.ts';
import { PuffState } from './state/puff-state.ts';
import type { PuffPerson } from './ports.ts';

const ports = {
  users: {
    settings: (userId: string): PuffPerson => ({
      userId,
      name: null,
      timeZone: 'UTC',
      dayStartHour: 0,
      product: 'vape',
    }),
  },
  consents: { requireConsents: () => undefined },
  stats: { statsOf: () => ({}) as UserStats },
};

it('records batches of one user in sequence, and those of other users concurrently', async () => {
  const now = Date.UTC(2026, 9, 21, 10);
  const underWay: string[] = [];
  const most = new Map<string, number>();
  let open = () => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const puffs = createPuffService({
    puffLog: {
      async append(person, batch) {
        underWay.push(person);
        const own = underWay.filter((one) => one === person).length;
        most.set(person, Math.max(own, most.get(person) ?? 0));
        await gate;
        underWay.splice(underWay.indexOf(person), 1);
        return { outcomes: batch.map(() => ({ status: 'duplicate' })), state: new PuffState() };
      },
      history: () => Promise.resolve(new PuffState()),
      drain: () => Promise.resolve(),
      isAdmitted: () => true,
    },
    store: { find: () => Promise.resolve(undefined), findUsedIds: () => Promise.resolve(new Set()) },
    clock: { now: () => now },
    ...ports,
    liveEvents: { puffsRecorded: () => undefined },
    metrics: { counted: () => undefined },
  });
  const batch = (userId: string) =>
    puffs.recordBatch({ userId, sessionId: 'session', expiresAt: Infinity }, [
      { id: newUuid(), timestamp: new Date(now).toISOString() },
    ]);
  const answers = ['ann', 'ann', 'ann', 'bob'].map(batch);
  await turnOfTheLoop();
  expect(underWay.sort()).toEqual(['ann', 'bob']);
  open();
  const statuses = (await Promise.all(answers)).map(({ results }) => results.map(({ status }) => status));
  expect(statuses).toEqual([['duplicate'], ['duplicate'], ['duplicate'], ['duplicate']]);
  expect(most).toEqual(
    new Map([
      ['ann', 1],
      ['bob', 1],
    ]),
  );
});

it('sends friends no event of a puff if consent is withdrawn during the write', async () => {
  const now = Date.UTC(2026, 9, 21, 10);
  let isWithdrawn = false;
  let isRead = false;
  const shown: number[] = [];
  const puffs = createPuffService({
    puffLog: {
      append(_person, batch) {
        isWithdrawn = batch.length > 1;
        const outcomes = batch.map((puff, index) => ({
          status: 'created' as const,
          puff: { ...puff, rev: index + 1 },
        }));
        return Promise.resolve({ outcomes, state: new PuffState() });
      },
      history: () => Promise.resolve(new PuffState()),
      drain: () => Promise.resolve(),
      // As where another process has reported a change: the settings are read first.
      isAdmitted: () => (isRead ? Promise.resolve(!isWithdrawn) : !isWithdrawn),
    },
    store: { find: () => Promise.resolve(undefined), findUsedIds: () => Promise.resolve(new Set()) },
    clock: { now: () => now },
    ...ports,
    liveEvents: { puffsRecorded: ({ liveCount }) => void shown.push(liveCount) },
    metrics: { counted: () => undefined },
  });
  const send = (count: number) =>
    puffs.recordBatch(
      { userId: 'ann', sessionId: 'session', expiresAt: Infinity },
      Array.from({ length: count }, () => ({ id: newUuid(), timestamp: new Date(now).toISOString() })),
    );
  await send(1);
  await send(2);
  expect(shown).toEqual([1, 0]);
  isRead = true;
  await send(1);
  await send(2);
  await new Promise(setImmediate);
  expect(shown).toEqual([1, 0, 1, 0]);
});

it('a drain waits for a batch that takes longer than the mutex limit, and is not refused', async () => {
  let now = Date.UTC(2026, 9, 21, 10);
  const steps: string[] = [];
  let store = () => {};
  const isStored = new Promise<void>((resolve) => (store = resolve));
  const puffs = createPuffService({
    puffLog: {
      async append(_person, batch) {
        await isStored;
        steps.push('stored');
        const outcomes = batch.map((puff) => ({ status: 'created' as const, puff: { ...puff, rev: 1 } }));
        return { outcomes, state: new PuffState() };
      },
      history: () => Promise.resolve(new PuffState()),
      drain: () => {
        steps.push('log drained');
        return Promise.resolve();
      },
      isAdmitted: () => true,
    },
    store: { find: () => Promise.resolve(undefined), findUsedIds: () => Promise.resolve(new Set()) },
    clock: { now: () => now },
    ...ports,
    liveEvents: { puffsRecorded: () => undefined },
    metrics: { counted: () => undefined },
  });
  const batch = puffs.recordBatch({ userId: 'ann', sessionId: 'session', expiresAt: Infinity }, [
    { id: newUuid(), timestamp: new Date(now).toISOString() },
  ]);
  await new Promise(setImmediate);
  const drained = puffs.drain('ann');
  now += 60_000;
  store();
  await drained;
  expect(steps).toEqual(['stored', 'log drained']);
  await batch;
});
