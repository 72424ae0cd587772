import { describe, expect, it } from '@jest/globals';
import type { Purpose, User } from '@pufftrack/contract';
import {
  adult,
  clientId,
  mintToken,
  newPerson,
  useAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';

let world: AuthWorld;
let node: AuthNode;
useAuthWorld((started) => ({ world, node } = started));

/** A consent to the current version. */
const currentConsent = async (purpose: Purpose) => ({
  purpose,
  version: ((await node.get('/legal/versions')).body as Record<string, unknown>)[purpose] as string,
});

describe('consents at a repeated sign-in', () => {
  const consentsOf = async (token: string) =>
    (await node.get('/users/me/consents', token)).body['consents'] as {
      purpose: Purpose;
      granted: boolean;
    }[];

  it('are granted as by PUT /users/me/consents; other purposes keep their state', async () => {
    const person = newPerson();
    const first = await node.signIn(person, { ...adult, consents: [await currentConsent('terms')] });
    const again = await node.signIn(person, {
      consents: [await currentConsent('health-processing'), await currentConsent('friends-sharing')],
    });
    const consents = await consentsOf(again.body['accessToken'] as string);
    expect(consents.map(({ purpose, granted }) => [purpose, granted])).toEqual([
      ['terms', true],
      ['health-processing', true],
      ['friends-sharing', true],
    ]);
    const { id: userId } = first.body['user'] as User;
    const ledger = await node.connection.collection('consentrecords').find({ userId }).toArray();
    expect(ledger.map(({ purpose, action }) => `${action} ${purpose}`).sort()).toEqual([
      'grant friends-sharing',
      'grant health-processing',
      'grant terms',
    ]);
  });

  it('are unchanged by a sign-in without consents', async () => {
    const person = newPerson();
    await node.signIn(person, { ...adult, consents: [await currentConsent('terms')] });
    for (const extra of [{}, { consents: [] }]) {
      const again = await node.signIn(person, extra);
      expect(await consentsOf(again.body['accessToken'] as string)).toHaveLength(1);
    }
  });
});

describe('e-mail address and name', () => {
  const signInAs = async (sub: string, claims: object, extra: object = {}) => {
    const { nonce } = await node.newNonce();
    const identityToken = await mintToken(world, nonce, { claims: { aud: clientId, ...claims } }, sub);
    const answer = await node.post('/auth/apple', { identityToken, nonce, ...adult, ...extra });
    expect(answer.status).toBe(200);
    return answer.body['user'] as User;
  };

  it('P2: are read from the token, never from the body, and may be absent (SIWA-12)', async () => {
    const sub = newPerson();
    const fromBody = { email: 'victim@example.com', user: { email: 'victim@example.com', name: null } };
    expect((await signInAs(sub, {}, fromBody)).email).toBeNull();
    expect((await signInAs(sub, {})).email).toBeNull();
  });

  it.each([
    [{ email_verified: true }, 'a@example.com'],
    [{ email_verified: 'true', is_private_email: 'true' }, 'a@example.com'],
    [{ email_verified: false }, null],
    [{ email_verified: 'false' }, null],
    [{ email_verified: true, email: { $gt: '' } }, null],
  ])('are read from %j', async (claims, email) => {
    expect((await signInAs(newPerson(), { email: 'a@example.com', ...claims })).email).toBe(email);
  });

  it('create two accounts for two people with one address (SIWA-12)', async () => {
    const claims = { email: 'shared@example.com', email_verified: true };
    const [one, other] = [await signInAs(newPerson(), claims), await signInAs(newPerson(), claims)];
    expect(one.id).not.toBe(other.id);
  });

  it('keep the first name that a sign-in carries (SIWA-13)', async () => {
    const sub = newPerson();
    const named = (firstName: string | null) => ({ user: { name: { firstName } } });
    expect((await signInAs(sub, {})).name).toBeNull();
    expect((await signInAs(sub, {}, named('Alice'))).name).toBe('Alice');
    for (const later of [{}, named(null), named(''), named('Mallory')])
      expect((await signInAs(sub, {}, later)).name).toBe('Alice');
  });
});
