import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@pufftrack/testkit/eventually';
import { decodeProtectedHeader } from 'jose';
import { connectMongo } from '../../../platform/mongo/connect.ts';
import {
  masterKey,
  newPerson,
  startAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';
import { rotateSigningKeys } from '../index.ts';

const minute = 60_000;

describe('keys:rotate (SES-7)', () => {
  let world: AuthWorld;
  let nodes: [AuthNode, AuthNode];

  beforeAll(async () => {
    world = await startAuthWorld();
    nodes = [await world.node(), await world.node()];
  });
  afterAll(() => world.close());

  const publishedKids = async (node: AuthNode) => {
    const { keys } = (await node.get('/.well-known/jwks.json')).body as unknown as {
      keys: { kid: string }[];
    };
    return keys.map(({ kid }) => kid);
  };
  /** As the command does, on a connection of its own. */
  const rotate = async (wait: (ms: number) => Promise<void>, key = masterKey) => {
    const connection = await connectMongo(world.uri);
    try {
      return await rotateSigningKeys({
        connection,
        clock: world.clock,
        masterKeys: [key],
        wait,
        say: () => undefined,
      });
    } finally {
      await connection.close();
    }
  };
  const signIn = async (node: AuthNode, person: string) =>
    (await node.signIn(person)).body['accessToken'] as string;
  const kidOf = (token: string) => decodeProtectedHeader(token).kid;

  it('publishes, signs and retires keys without a 401 at running processes', async () => {
    const [one, other] = nodes;
    const person = newPerson();
    const old = await signIn(one, person);
    const statuses: number[] = [];
    const moreCalls = () => {
      const enough = statuses.length + 10;
      return eventually('more calls', () => statuses.length >= enough);
    };
    const ended = new AbortController();
    const load = (async () => {
      const tokens = [old];
      for (let round = 0; !ended.signal.aborted; round++) {
        if (round % 10 === 0) tokens.push(await signIn(round % 20 === 0 ? one : other, newPerson()));
        for (const node of nodes) statuses.push((await node.get('/users/me', tokens.at(-1))).status);
        await pause(10);
      }
    })();

    const rotateAndWait = async () => {
      let waitedMs = 0;
      await moreCalls();
      const rotated = await rotate(async (ms) => {
        waitedMs = ms;
        for (const node of nodes)
          await eventually('the key is published', async () => (await publishedKids(node)).length === 2);
        expect(kidOf(await signIn(other, newPerson()))).toBe(kidOf(old));
        await moreCalls();
      });
      expect(waitedMs).toBeGreaterThanOrEqual(15_000);
      for (const node of nodes)
        await eventually('the key signs', async () => kidOf(await signIn(node, newPerson())) === rotated.kid);
      await moreCalls();
      return rotated;
    };
    const { kid } = await rotateAndWait().finally(async () => {
      ended.abort();
      await load;
    });
    expect(new Set(statuses)).toEqual(new Set([200]));

    // The old key verifies until its last token has run out, and no longer.
    world.clock.advance(14 * minute);
    expect((await one.get('/users/me', old)).status).toBe(200);
    world.clock.advance(2 * minute + 1);
    for (const node of nodes) expect(await publishedKids(node)).toEqual([kid]);
  });

  it('resumes an interrupted rotation with the key that it has published', async () => {
    await expect(rotate(() => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    const stored = () => nodes[0].connection.collection('signingkeys').find({ state: 'next' }).toArray();
    const [left] = await stored();
    const { kid } = await rotate(() => Promise.resolve());
    expect(kid).toBe(String(left?._id));
    expect(await stored()).toEqual([]);
  });

  it('changes the key once for two concurrent rotations', async () => {
    // Neither promotes its key before both have published.
    let published = 0;
    let release: (() => void) | undefined;
    const bothPublished = new Promise<void>((resolve) => (release = resolve));
    const waitForOther = () => {
      published += 1;
      if (published === 2) release?.();
      return bothPublished;
    };
    const results = await Promise.allSettled([rotate(waitForOther), rotate(waitForOther)]);
    expect(published).toBe(2);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await nodes[0].connection.collection('signingkeys').countDocuments({ state: 'active' })).toBe(1);
  });

  it('rejects a wrong master key and changes nothing', async () => {
    const before = await nodes[0].connection.collection('signingkeys').find().toArray();
    await expect(rotate(() => Promise.resolve(), Buffer.alloc(32, 9))).rejects.toThrow('MASTER_KEY');
    expect(await nodes[0].connection.collection('signingkeys').find().toArray()).toEqual(before);
    expect((await nodes[1].signIn(newPerson())).status).toBe(200);
  });
});
