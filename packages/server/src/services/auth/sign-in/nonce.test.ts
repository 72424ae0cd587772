import { describe, expect, it } from '@jest/globals';
import {
  adult,
  clientId,
  mintToken,
  newPerson,
  sha256Hex,
  useAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';

const minute = 60_000;

let world: AuthWorld;
let node: AuthNode;
useAuthWorld((started) => ({ world, node } = started));

describe('the nonce (SIWA-4)', () => {
  const signInWith = async (nonce: string, claim: unknown, sub = newPerson()) =>
    node.post('/auth/apple', {
      identityToken: await mintToken(world, nonce, { claims: { aud: clientId, nonce: claim } }, sub),
      nonce,
      ...adult,
    });

  it.each<[string, (nonce: string) => unknown]>([
    ['no nonce', () => undefined],
    ['another nonce', () => sha256Hex('another')],
    ['the raw nonce', (nonce) => nonce],
    ['the hash in upper case', (nonce) => sha256Hex(nonce).toUpperCase()],
    ['a nonce that is not a string', () => ['x']],
  ])('rejects a token with %s', async (_name, claimOf) => {
    const { nonce } = await node.newNonce();
    const refused = await signInWith(nonce, claimOf(nonce));
    expect(refused.body).toMatchObject({ status: 401, code: 'invalid-nonce' });
    expect((await signInWith(nonce, sha256Hex(nonce))).status).toBe(200);
  });

  it('rejects a nonce that was never issued, has expired, or was used', async () => {
    expect((await signInWith('mine', sha256Hex('mine'))).body.code).toBe('invalid-nonce');

    const { nonce } = await node.newNonce();
    expect((await signInWith(nonce, sha256Hex(nonce))).status).toBe(200);
    expect((await signInWith(nonce, sha256Hex(nonce))).body.code).toBe('invalid-nonce');

    const old = await node.newNonce();
    world.clock.advance(10 * minute);
    expect((await signInWith(old.nonce, sha256Hex(old.nonce))).body.code).toBe('invalid-nonce');
  });

  it('accepts one of 50 concurrent uses, by one person or by many', async () => {
    for (const subOf of [() => 'the-same', newPerson]) {
      const { nonce } = await node.newNonce();
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => signInWith(nonce, sha256Hex(nonce), subOf())),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ body }) => body.code === 'invalid-nonce')).toHaveLength(49);
    }
  });

  it('is stored only as its hash', async () => {
    const { nonce } = await node.newNonce();
    const dump = JSON.stringify(await node.connection.collection('nonces').find().toArray());
    expect(dump).toContain(sha256Hex(nonce));
    expect(dump).not.toContain(nonce);
  });
});
