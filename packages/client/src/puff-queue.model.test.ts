import { expect, test } from '@jest/globals';
import type { BatchAnswer, BatchPuffInput, ProblemCode, UserStats } from '@pufftrack/contract';
import fc from 'fast-check';
import { networkError, problemError } from './api-error.ts';
import { createPuffQueue, type PuffQueue } from './puff-queue.ts';
import { memoryPuffStorage } from './puff-storage.ts';

const refusals = ['overloaded', 'rate-limited', 'unauthenticated', 'upgrade-required', 'internal'] as const;
/** What happens to one call. `late`: the caller's time runs out, and the server does the work some calls later. */
const fates = [
  'answered',
  'answered',
  'lost-request',
  'lost-answer',
  'late',
  'crash-before',
  'crash-after',
  'consent-required',
  ...refusals,
] as const;
type Fate = (typeof fates)[number];

/** `fine` is recorded, `bad` has a result `rejected`, `poison` makes the whole call 400. */
const kinds = ['fine', 'fine', 'fine', 'bad', 'poison'] as const;
type Kind = (typeof kinds)[number];

type AppStep = { do: 'add'; kind: Kind } | { do: 'remove' | 'discard' | 'correct' | 'resend'; which: number };
type Step =
  | { do: 'app'; step: AppStep }
  | { do: 'flush'; fates: Fate[]; during: AppStep[] }
  | { do: 'both-flush'; fates: Fate[]; during: AppStep[] }
  | { do: 'arrive' }
  | { do: 'restart' };

const problem = (code: ProblemCode, status: number) =>
  problemError({
    type: 't',
    title: code,
    status,
    code,
    detail: code,
    instance: 'urn:uuid:r',
    requestId: 'r',
  });

const stats = { totalPuffCount: 0 } as UserStats;
const inputOf = (kind: Kind) => ({
  quantity: kind === 'bad' ? 51 : 1,
  trigger: kind === 'poison' ? 'poison' : null,
});
const idOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** The server's side: a used id stays used, a deletion is final, and the app's side: what should be there in the end. */
const createWorld = () => {
  const storage = memoryPuffStorage();
  const alive = new Set<string>();
  const used = new Set<string>();
  const expected = new Map<string, Kind>();
  const late: (() => void)[] = [];
  let fatesLeft: Fate[] = [];
  let during: AppStep[] = [];
  let crash: () => void = () => undefined;
  let added = 0;

  const record = (puffs: readonly BatchPuffInput[]): BatchAnswer => {
    if (puffs.some(({ trigger }) => trigger === 'poison')) throw problem('forbidden-key', 400);
    const results = puffs.map(({ id, quantity }) => {
      if (used.has(id)) return { id, status: 'duplicate' as const };
      if (quantity === 51) return { id, status: 'rejected' as const, code: 'invalid' as const };
      used.add(id);
      alive.add(id);
      return { id, status: 'created' as const };
    });
    return { results, stats };
  };
  const erase = (id: string) => {
    if (!used.has(id)) throw problem('not-found', 404);
    alive.delete(id);
    return { stats };
  };

  const call = async <T>(work: () => T): Promise<T> => {
    const fate = fatesLeft.shift() ?? 'answered';
    const early = during.shift();
    if (early) await act(early);
    const quietly = () => {
      try {
        work();
      } catch {
        // Its caller is gone.
      }
    };
    if (fate === 'crash-before' || fate === 'crash-after') {
      if (fate === 'crash-after') quietly();
      crash();
      return new Promise<never>(() => undefined);
    }
    if (fate === 'late') late.push(quietly);
    if (fate === 'lost-answer') quietly();
    if (fate === 'late' || fate === 'lost-answer' || fate === 'lost-request') {
      const after = during.shift();
      if (after) await act(after);
      throw networkError('no answer');
    }
    if (fate === 'consent-required') throw problem(fate, 403);
    if (fate === 'upgrade-required') throw problem(fate, 426);
    if (fate === 'unauthenticated') throw problem(fate, 401);
    if (fate === 'rate-limited') throw problem(fate, 429);
    if (fate === 'internal') throw problem(fate, 500);
    if (fate === 'overloaded') {
      // Its outcome is unknown: it may have been written.
      if (late.length % 2 === 0) quietly();
      throw problem(fate, 503);
    }
    const answer = work();
    const after = during.shift();
    if (after) await act(after);
    return answer;
  };

  const newQueue = (): PuffQueue =>
    createPuffQueue({
      storage,
      send: (puffs) => call(() => record(puffs)),
      remove: (id) => call(() => erase(id)),
      now: () => 0,
      newId: () => idOf(added),
    });
  let queues = [newQueue(), newQueue()] as const;

  const act = async (step: AppStep): Promise<void> => {
    const [queue] = queues;
    if (step.do === 'add') {
      added += 1;
      expected.set(idOf(added), step.kind);
      await queue.add(inputOf(step.kind));
      return;
    }
    if (added === 0) return;
    const id = idOf((step.which % added) + 1);
    if (step.do === 'remove') {
      expected.delete(id);
      await queue.remove([id]);
    } else if (step.do === 'discard') {
      if (await queue.discard(id)) expected.delete(id);
    } else if (step.do === 'resend') {
      await queue.resend(id);
    } else if ((await queue.correct(id, inputOf('fine'))) && expected.has(id)) {
      expected.set(id, 'fine');
    }
  };

  const flush = async (both: boolean): Promise<void> => {
    const crashed = new Promise<boolean>((resolve) => {
      crash = () => {
        resolve(true);
      };
    });
    const flushes = (both ? queues : [queues[0]]).map((queue) => queue.flush());
    const hasCrashed = await Promise.race([crashed, Promise.all(flushes).then(() => false)]);
    if (hasCrashed) restart();
  };
  const restart = () => {
    queues = [newQueue(), newQueue()];
  };
  const arrive = () => {
    for (const work of late.splice(0)) work();
  };

  return {
    alive,
    expected,
    queue: () => queues[0],
    play: async (step: Step) => {
      if (step.do === 'app') await act(step.step);
      else if (step.do === 'restart') restart();
      else if (step.do === 'arrive') arrive();
      else {
        fatesLeft = [...step.fates];
        during = [...step.during];
        await flush(step.do === 'both-flush');
      }
    },
    heal: () => {
      fatesLeft = [];
      during = [];
      restart();
    },
    arrive,
  };
};

const which = fc.nat({ max: 30 });
const appStep: fc.Arbitrary<AppStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), kind: fc.constantFrom(...kinds) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('discard', 'correct', 'resend'), which }) },
);
const flushStep = fc.record({
  do: fc.constantFrom('flush' as const, 'both-flush' as const),
  fates: fc.array(fc.constantFrom(...fates), { maxLength: 8 }),
  during: fc.array(appStep, { maxLength: 4 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('app' as const), step: appStep }) },
  { weight: 4, arbitrary: flushStep },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('arrive', 'restart') }) },
);

test('in the end the server holds what the app recorded and did not remove, and the rest is in the rejected list', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = createWorld();
      for (const each of steps) await world.play(each);
      world.heal();
      const pending: number[] = [];
      // A flush stops after ten refusals in a row, so a few may be needed; each moves ten.
      for (let flushes = 0; flushes < 6; flushes += 1) pending.push((await world.queue().flush()).pending);
      world.arrive();
      expect(pending.at(-1)).toBe(0);
      const rejected = (await world.queue().rejected()).map(({ puff }) => puff.id);
      const ids = [...world.expected.keys()];
      const isFine = (id: string) => world.expected.get(id) === 'fine';
      expect([...world.alive].sort()).toEqual(ids.filter(isFine).sort());
      expect(rejected.sort()).toEqual(ids.filter((id) => !isFine(id)).sort());
      expect(await world.queue().list()).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});
