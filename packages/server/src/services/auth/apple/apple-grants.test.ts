import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@pufftrack/testkit/eventually';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { User } from '@pufftrack/contract';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import {
  adult,
  clientId,
  patientAppleLimits,
  sha256Hex,
  newPerson,
  useAuthWorld,
  team,
  unusedConfig,
  type Answer,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';
import { createMetrics } from '../../../platform/telemetry/metrics.ts';
import { createAuth } from '../index.ts';
import { createClientSecrets } from './apple-client-secret.ts';

const minute = 60_000;
const hour = 60 * minute;

let world: AuthWorld;
let node: AuthNode;
useAuthWorld((started) => ({ world, node } = started));

const linkOf = (person: string, at = node) =>
  at.connection.collection('applelinks').findOne({ sub: world.apple.subjectOf(person) });
const userIdOf = (answer: { body: Record<string, unknown> }) => (answer.body['user'] as User).id;
/** The body of a sign-in with an authorization code. */
const sheetFor = async (person: string) => {
  const { nonce } = (await node.post('/auth/apple/nonce')).body as { nonce: string };
  const { identityToken, authorizationCode } = await world.apple.authorize({
    person,
    clientId,
    nonce: sha256Hex(nonce),
  });
  return { identityToken, authorizationCode, nonce };
};
/** Deletes an account; the body says whether the user has to revoke the grant. */
const close = async (signedIn: Answer, at = node) => (await at.deleteAccount(signedIn)).body;
const waitingRevocations = () =>
  node.connection
    .collection('applerevocations')
    .find({ payload: { $ne: null } })
    .toArray();

describe('the authorization code (SIWA-6)', () => {
  it('is exchanged for a refresh token, which is stored sealed (SIWA-8)', async () => {
    const person = newPerson();
    const signedIn = await node.signIn(person);
    expect(await linkOf(person)).toMatchObject({
      refreshTokenMissing: false,
      refreshToken: { clientId, keyId: expect.stringMatching(/^[0-9a-f]{8}$/) },
    });
    const collections = await node.connection.listCollections();
    const dump = JSON.stringify(
      await Promise.all(collections.map(({ name }) => node.connection.collection(name).find().toArray())),
    );
    expect(await close(signedIn)).toEqual({ manualRevocationRequired: false });
    await world.drain();
    const token = world.apple.revokedTokens.at(-1) ?? '';
    expect(token).toMatch(/^r/);
    expect(dump).not.toContain(token);
    expect(JSON.stringify(node.log)).not.toContain(token);
  });

  it('of another person is rejected, and nothing is stored', async () => {
    const [alice, mallory] = [newPerson(), newPerson()];
    const body = await sheetFor(alice);
    const { authorizationCode } = await sheetFor(mallory);
    const refused = await node.post('/auth/apple', { ...body, authorizationCode, ...adult });
    expect(refused.body).toMatchObject({ status: 401, code: 'invalid-identity-token' });
    expect(await linkOf(alice)).toBeNull();
    expect((await node.post('/auth/apple', { ...body, ...adult })).status).toBe(200);
  });

  it('refused by Apple rejects a new account and accepts an existing one', async () => {
    const person = newPerson();
    const bad = { authorizationCode: 'c0ffee.0.bad' };
    const first = await node.post('/auth/apple', { ...(await sheetFor(person)), ...bad, ...adult });
    expect(first.body).toMatchObject({ status: 401, code: 'invalid-identity-token' });
    expect(await linkOf(person)).toBeNull();
    await node.signIn(person);
    const refreshToken: unknown = (await linkOf(person))?.['refreshToken'];
    const again = await node.post('/auth/apple', { ...(await sheetFor(person)), ...bad });
    expect(again.status).toBe(200);
    expect((await linkOf(person))?.['refreshToken']).toEqual(refreshToken);
  });

  it('is not redeemed by a sign-in without age confirmation', async () => {
    const body = await sheetFor(newPerson());
    const before = world.apple.codeExchanges;
    expect((await node.post('/auth/apple', body)).body.code).toBe('age-confirmation-required');
    expect(world.apple.codeExchanges).toBe(before);
    expect((await node.post('/auth/apple', { ...body, ...adult })).status).toBe(200);
    expect(world.apple.codeExchanges).toBe(before + 1);
  });

  it('signs in exactly once when it is sent 50 times concurrently with its nonce', async () => {
    const body = await sheetFor(newPerson());
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => node.post('/auth/apple', { ...body, ...adult })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body: { code } }) => code === 'invalid-nonce')).toHaveLength(49);
  });

  it.each(['error', 'refuse', 'no answer'] as const)(
    'is optional for a sign-in while Apple is unavailable (%s); the next sign-in adds the token',
    async (outage) => {
      const person = newPerson();
      const body = await sheetFor(person);
      const limits = { ...patientAppleLimits };
      const fresh = await world.node({ apple: { timeLimits: limits } });
      await fresh.signIn(newPerson());
      if (outage === 'no answer') world.apple.hold('/auth/token');
      else world.apple.setOutage(outage);
      limits.tokensMs = outage === 'no answer' ? 50 : limits.tokensMs;
      const answer = await fresh.post('/auth/apple', { ...body, ...adult });
      world.apple.setOutage('none');
      world.apple.release();
      limits.tokensMs = patientAppleLimits.tokensMs;
      expect(answer.status).toBe(200);
      expect(await linkOf(person)).toMatchObject({ refreshTokenMissing: true });
      expect(fresh.log).toContainEqual(expect.objectContaining({ event: 'auth.apple_code_not_redeemed' }));

      await fresh.signIn(person);
      expect(await linkOf(person)).toMatchObject({ refreshTokenMissing: false, refreshToken: { clientId } });
    },
  );
});

describe('the revocation (SIWA-9)', () => {
  it('is retried during an outage of an hour and happens once', async () => {
    const person = newPerson();
    const signedIn = await node.signIn(person);
    const before = world.apple.revokedTokens.length;
    world.apple.setOutage('error');
    await close(signedIn);
    for (let minutes = 0; minutes < 60; minutes++) {
      await node.app.drain();
      world.clock.advance(minute);
    }
    expect(world.apple.revokedTokens).toHaveLength(before);
    world.apple.setOutage('none');
    world.clock.advance(75 * minute);
    await world.node();
    await world.drain();
    world.clock.advance(75 * minute);
    await world.drain();
    expect(world.apple.revokedTokens).toHaveLength(before + 1);
    expect(await linkOf(person)).toBeNull();
  });

  it('is done by another process after the one that scheduled it has ended', async () => {
    const gone = await world.node();
    const signedIn = await gone.signIn(newPerson());
    const before = world.apple.revokedTokens.length;
    world.apple.setOutage('error');
    await close(signedIn, gone);
    await gone.stop();
    world.apple.setOutage('none');
    await world.drain();
    expect(world.apple.revokedTokens).toHaveLength(before + 1);
  });

  it('is not scheduled by an aborted transaction', async () => {
    const person = newPerson();
    const signedIn = await node.signIn(person);
    const before = world.apple.revokedTokens.length;
    const { closing } = createAuth({
      connection: node.connection,
      clock: world.clock,
      log: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      config: { ...unusedConfig, appleClientIds: [clientId] },
      accounts: undefined as never,
      inbox: undefined as never,
      devices: undefined as never,
      sockets: undefined as never,
    });
    await expect(
      inTransaction(node.connection, async (tx) => {
        const log = createLogger({ level: 'silent' });
        const { manualRevocationRequired } = await closing.close(userIdOf(signedIn), undefined, { tx, log });
        expect(manualRevocationRequired).toBe(false);
        throw new Error('aborted');
      }),
    ).rejects.toThrow('aborted');
    await world.drain();
    expect(world.apple.revokedTokens).toHaveLength(before);
    expect(await linkOf(person)).toMatchObject({ refreshToken: { clientId } });
  });

  it('is left to the user if no token is stored', async () => {
    const { nonce } = (await node.post('/auth/apple/nonce')).body as { nonce: string };
    const { identityToken } = await world.apple.authorize({
      person: newPerson(),
      clientId,
      nonce: sha256Hex(nonce),
    });
    const answer = await node.post('/auth/apple', { identityToken, nonce, ...adult });
    expect(await close(answer)).toEqual({ manualRevocationRequired: true });
  });

  it('does not identify the account while it is pending, and is given up after a week', async () => {
    const person = newPerson();
    const signedIn = await node.signIn(person);
    const before = world.apple.revokedTokens.length;
    world.apple.setOutage('error');
    await close(signedIn);
    const waiting = JSON.stringify(await waitingRevocations());
    expect(waiting).toContain('sealed');
    for (const name of [userIdOf(signedIn), world.apple.subjectOf(person)])
      expect(waiting).not.toContain(name);
    world.clock.advance(8 * 24 * hour);
    // Another process of this world may have leased it.
    await eventually('it is given up', async () => {
      await node.app.drain();
      return (await waitingRevocations()).length === 0;
    });
    world.apple.setOutage('none');
    expect(world.apple.revokedTokens).toHaveLength(before);
  });

  it('does not unseal a token that was copied to another account', async () => {
    const [one, other] = [newPerson(), newPerson()];
    const [signedIn] = [await node.signIn(one), await node.signIn(other)];
    const userId = userIdOf(signedIn);
    const stolen = (await linkOf(other))?.['refreshToken'] as object;
    await node.connection.collection('applelinks').updateOne({ userId }, { $set: { refreshToken: stolen } });
    const before = world.apple.revokedTokens.length;
    expect(await close(signedIn)).toEqual({ manualRevocationRequired: true });
    await world.drain();
    expect(world.apple.revokedTokens).toHaveLength(before);
  });
});

describe('the client secret (SIWA-7)', () => {
  const publicKey = createPublicKey(team.privateKey);

  it('is an ES256 token for one app, valid for at most an hour', async () => {
    const secret = await createClientSecrets(team, world.clock)(clientId);
    const { payload } = await jwtVerify(secret, publicKey, {
      algorithms: ['ES256'],
      currentDate: new Date(world.clock.now()),
    });
    expect(payload).toMatchObject({ iss: team.teamId, aud: 'https://appleid.apple.com', sub: clientId });
    expect((payload.exp ?? Infinity) - (payload.iat ?? 0)).toBeLessThanOrEqual(3600);
    expect(decodeProtectedHeader(secret)).toEqual({ alg: 'ES256', kid: team.keyId });
  });

  it('is created once an hour per app', async () => {
    const secretFor = createClientSecrets(team, world.clock);
    const first = await secretFor(clientId);
    expect(await secretFor('app.other')).not.toBe(first);
    world.clock.advance(54 * minute);
    expect(await secretFor(clientId)).toBe(first);
    world.clock.advance(minute);
    expect(await secretFor(clientId)).not.toBe(first);
  });
});
