import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import {
  masterKey,
  newPerson,
  startAuthWorld,
  type Answer,
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
  /** Deletes an account; returns how many grants were revoked. */
  const revoke = async (node: AuthNode, signedIn: Answer) => {
    const before = world.apple.revokedTokens.length;
    await node.deleteAccount(signedIn);
    await node.app.drain();
    return world.apple.revokedTokens.length - before;
  };

  it('reseals every row, also after a kill, so that the old key can be removed', async () => {
    const people: Awaited<ReturnType<AuthNode['signIn']>>[] = [];
    for (let index = 0; index < 4; index++) people.push(await old.signIn(newPerson()));
    // A revocation that is pending until Apple answers again.
    world.apple.setOutage('error');
    await old.deleteAccount(people[0]!);
    await old.app.drain();
    // It could not unseal what the job moves, and would postpone it.
    await old.stop();

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

    world.apple.setOutage('none');
    const after = await world.node({ uri, config: { masterKey: nextKey } });
    expect((await after.get('/users/me', people[2]?.body['accessToken'] as string)).status).toBe(200);
    expect(
      (await after.post('/auth/refresh', { refreshToken: people[2]?.body['refreshToken'] })).status,
    ).toBe(200);
    expect((await after.signIn(newPerson())).status).toBe(200);
    world.clock.advance(minute);
    expect(await revoke(after, people[3]!)).toBe(2);
    await expect(world.node({ uri })).rejects.toThrow('MASTER_KEY');
  });

  it('does not unseal what was copied to the row of another account', async () => {
    const [one, other] = [await old.signIn(newPerson()), await old.signIn(newPerson())];
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
    for (const person of [one, other]) expect(await revoke(both, person)).toBe(0);
  });

  it('has no effect without a previous key', async () => {
    await old.signIn(newPerson());
    const job = resealJob({ rows: createSealedStore(old.connection), masterKeys: [masterKey] });
    const save = () => Promise.reject(new Error('nothing to save'));
    const signal = new AbortController().signal;
    expect(await job.run({ from: 0, to: 0, progress: null, save, signal, log })).toEqual({
      moved: 0,
      unopened: 0,
    });
  });
});
