import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ApiError, createClient, type Client } from '@pufftrack/client';
import fc from 'fast-check';
import { allPuffs, recountOf } from '../src/demo/recount.ts';
import { signInPerson, startTestApp, testClientId, type TestApp } from '../src/index.ts';

const minute = 60_000;
const isLong = Boolean(process.env['LONG']);

/** Something that a person does on one of their phones; `pick` chooses among the puffs that this phone knows. */
type Act =
  | { kind: 'puff'; quantity: number; agoMinutes: number }
  | { kind: 'edit'; pick: number; quantity: number; agoMinutes: number }
  | { kind: 'delete' | 'undo' | 'restore'; pick: number }
  | { kind: 'send' | 'pull' };

const agoMinutes = fc.integer({ min: 0, max: 3 * 24 * 60 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('puff' as const),
      quantity: fc.integer({ min: 1, max: 3 }),
      agoMinutes,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('edit' as const),
      pick: fc.nat(),
      quantity: fc.integer({ min: 1, max: 50 }),
      agoMinutes,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('delete', 'undo', 'restore'), pick: fc.nat() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('send', 'pull') }) },
);
const plan = fc.record({
  acts: fc.array(fc.record({ device: fc.nat(2), act }), { minLength: 15, maxLength: 40 }),
  /** Of each answer in turn, whether it is lost on its way. */
  losses: fc.infiniteStream(fc.boolean()),
});

/** What a phone shows of a puff. */
interface Shown {
  timestamp: string;
  quantity: number;
}

/** A phone as the contract wants it: acts wait in a queue until they are acknowledged, and changes come by revision. */
class Device {
  readonly shown = new Map<string, Shown>();
  readonly waiting: (() => Promise<unknown>)[] = [];
  #revision = 0;
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  do(what: Act, now: number): Promise<void> {
    const client = this.#client;
    const timestampOf = (ago: number) => new Date(now - ago * minute).toISOString();
    const id = 'pick' in what ? [...this.shown.keys()][what.pick % Math.max(1, this.shown.size)] : undefined;
    if (what.kind === 'send') return this.send();
    if (what.kind === 'pull') return this.pull().catch(unlessLost);
    if (what.kind === 'puff') {
      const puff = { id: randomUUID(), timestamp: timestampOf(what.agoMinutes), quantity: what.quantity };
      this.waiting.push(() => client.call('recordPuffBatch', { body: { puffs: [puff] } }));
    } else if (id !== undefined && what.kind === 'edit') {
      const body = { timestamp: timestampOf(what.agoMinutes), quantity: what.quantity };
      this.waiting.push(() => client.call('editPuff', { params: { id }, body }));
    } else if (id !== undefined && what.kind === 'undo') {
      this.waiting.push(() => client.call('undoPuff', { body: { id } }));
    } else if (id !== undefined) {
      const call = what.kind === 'delete' ? 'deletePuff' : 'restorePuff';
      this.waiting.push(() => client.call(call, { params: { id } }));
    }
    return Promise.resolve();
  }

  /** In order, until an answer is lost; what the server refuses for good is done. */
  async send(): Promise<void> {
    for (;;) {
      const [next] = this.waiting;
      if (!next) return;
      try {
        await next();
      } catch (error) {
        if (isLost(error)) return;
        if (!(error instanceof ApiError) || ![404, 409, 410].includes(error.status)) throw error;
      }
      this.waiting.shift();
    }
  }

  async pull(): Promise<void> {
    for (let more = true; more;) {
      const page = await this.#client.call('listPuffChanges', {
        query: { since: String(this.#revision), limit: '7' },
      });
      for (const change of page.changes) {
        if ('puff' in change) this.shown.set(change.puff.id, shownOf(change.puff));
        else if ('deletedId' in change) this.shown.delete(change.deletedId);
      }
      this.#revision = page.revision;
      more = page.hasMore;
    }
  }
}

const shownOf = ({ timestamp, quantity }: Shown): Shown => ({ timestamp, quantity });
const sorted = (shown: ReadonlyMap<string, Shown>) => [...shown].sort(([a], [b]) => (a < b ? -1 : 1));
const isLost = (error: unknown) => error instanceof ApiError && error.code === 'network';
const unlessLost = (error: unknown) => {
  if (!isLost(error)) throw error;
};

describe('three devices of one person', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  it(
    'end equal, and equal to the server, whatever they do and whichever answers are lost',
    async () => {
      await fc.assert(
        fc.asyncProperty(plan, async ({ acts, losses }) => {
          let lossy = false;
          const flaky: typeof fetch = async (...request) => {
            const answer = await fetch(...request);
            if (!lossy || !losses.next().value) return answer;
            await answer.arrayBuffer();
            throw new TypeError('the connection was cut after the server had answered');
          };
          const name = randomUUID();
          const now = () => app.clock.now();
          const newClient = () => createClient({ baseUrl: app.url, now, fetch: flaky });
          const world = { url: app.url, now, apple: app.apple, clientId: testClientId, newClient };
          const clients = [];
          for (let count = 0; count < 3; count++) {
            const { client } = await signInPerson(world, name, { deviceId: `${name} ${count}` });
            clients.push(client);
          }
          const devices = clients.map((client) => new Device(client));

          lossy = true;
          for (const { device, act: what } of acts) await devices[device]!.do(what, app.clock.now());
          lossy = false;
          for (const device of devices) await device.send();
          for (const device of devices) await device.pull();

          const stored = await allPuffs(clients[0]!);
          const server = sorted(new Map(stored.map((puff) => [puff.id, shownOf(puff)])));
          for (const device of devices) {
            expect(device.waiting).toEqual([]);
            expect(sorted(device.shown)).toEqual(server);
          }
          const { byDay, total } = recountOf(stored, 'Europe/Berlin', app.clock.now());
          expect(await clients[1]!.call('getStats')).toMatchObject({ totalPuffCount: total });
          const query = { from: '2026-10-10', to: '2026-10-22' };
          const { days } = await clients[2]!.call('getStatsDays', { query });
          expect(new Map(days.flatMap(({ day, count }) => (count > 0 ? [[day, count]] : [])))).toEqual(byDay);
        }),
        { numRuns: isLong ? 300 : 12 },
      );
    },
    isLong ? 1_800_000 : 60_000,
  );
});
