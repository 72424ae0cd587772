import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import {
  masterKey,
  somebody,
  startAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';
import { testDatabaseUri } from '../../../../test/database.ts';
import { resealJob } from './reseal-job.ts';
import { masterKeyId } from './sealed.ts';
import { createSealedStore } from './sealed-store.ts';

const nextKey = Buffer.alloc(32, 8);
const minute = 60_000;

const log = createLogger({ level: 'silent' });

describe('a new master key (SIWA-8)', () => {
  let world: AuthWorld;
  let uri: string;
  /** Started with the old key, and with the new one beside it. */
  let old: AuthNode;
  let both: AuthNode;

  beforeAll(async () => {
    world = await startAuthWorld();
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    uri = testDatabaseUri();
    old = await world.node({ uri });
    both = await world.node({ uri, config: { masterKey: nextKey, previousMasterKey: masterKey } });
  });

  const run = (saveEvery?: number, save = () => Promise.resolve()) =>
    resealJob({
      rows: createSealedStore(both.connection),
      masterKeys: [nextKey, masterKey],
      ...(saveEvery !== undefined && { saveEvery }),
    }).run({
      from: 0,
      to: 0,
      progress: null,
      save,
      signal: new AbortController().signal,
      log,
    });
  const links = () => both.connection.collection('applelinks');
  const userIdOf = (answer: { body: Record<string, unknown> }) => (answer.body['user'] as { id: string }).id;
  const revoke = async (node: AuthNode, userId: string) => {
    await inTransaction(node.connection, (tx) => node.auth.closing.close(userId, undefined, { tx, log }));
    const before = world.apple.revokedTokens.length;
    await node.auth.drain();
    return world.apple.revokedTokens.length - before;
  };

  it('takes over every row, also after a kill in the middle; then the old one is not needed', async () => {
    const people: Awaited<ReturnType<AuthNode['signIn']>>[] = [];
    for (let index = 0; index < 4; index++) people.push(await old.signIn(somebody()));
    // A revocation that is not due yet.
    await inTransaction(old.connection, async (tx) => {
      await old.auth.closing.close(userIdOf(people[0]!), undefined, { tx, log });
      const later = { $set: { dueAt: new Date(world.clock.now() + minute) } };
      await old.connection.collection('applerevocations').updateOne({}, later, { session: tx });
    });

    // 3 tokens, 1 revocation, 1 signing key and 4 sessions; killed after the third and the sixth of them.
    for (const rows of [3, 6]) {
      let saves = 0;
      await expect(
        run(3, () => (++saves * 3 === rows ? Promise.reject(new Error('killed')) : Promise.resolve())),
      ).rejects.toThrow('killed');
    }
    expect((await both.post('/auth/refresh', { refreshToken: people[1]?.body['refreshToken'] })).status).toBe(
      200,
    );
    expect(await run()).toEqual({ moved: 3, unopened: 0 });
    expect(await run()).toEqual({ moved: 0, unopened: 0 });
    expect(await links().distinct('refreshToken.keyId')).toEqual([masterKeyId([nextKey])]);

    const after = await world.node({ uri, config: { masterKey: nextKey } });
    expect((await after.get('/users/me', people[2]?.body['accessToken'] as string)).status).toBe(200);
    expect(
      (await after.post('/auth/refresh', { refreshToken: people[2]?.body['refreshToken'] })).status,
    ).toBe(200);
    expect((await after.signIn(somebody())).status).toBe(200);
    world.clock.advance(minute);
    expect(await revoke(after, userIdOf(people[3]!))).toBe(2);
    await expect(world.node({ uri })).rejects.toThrow('MASTER_KEY');
  });

  it('does not open what was moved into the row of another person', async () => {
    const [one, other] = [await old.signIn(somebody()), await old.signIn(somebody())];
    const [first, second] = await links().find().sort({ _id: 1 }).toArray();
    for (const [link, from] of [
      [first, second],
      [second, first],
    ])
      await links().updateOne(
        { _id: link!._id },
        { $set: { 'refreshToken.sealed': (from!['refreshToken'] as { sealed: string }).sealed } },
      );
    expect(await run()).toMatchObject({ unopened: 2 });
    for (const person of [one, other]) expect(await revoke(both, userIdOf(person))).toBe(0);
  });

  it('is nothing to do without a previous key', async () => {
    await old.signIn(somebody());
    const [job] = old.auth.jobs;
    const log = createLogger({ level: 'silent' });
    const save = () => Promise.reject(new Error('nothing to save'));
    const given = { from: 0, to: 0, progress: null, save, signal: new AbortController().signal, log };
    expect(await job?.run(given)).toEqual({ moved: 0, unopened: 0 });
  });
});
