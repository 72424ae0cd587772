import { describe, expect, it } from '@jest/globals';
import { newPerson, useAuthWorld, type AuthNode, type AuthWorld } from '../../../test/auth-server.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

describe('auth-cleanup (docs/adr/0004)', () => {
  let world: AuthWorld;
  let node: AuthNode;

  useAuthWorld((started) => ({ world, node } = started));

  const count = (collection: string) => node.connection.collection(collection).countDocuments();
  const cleanUp = () => node.app.jobs.run('auth-cleanup');

  it('deletes nonces when they have expired by the injected clock, not before', async () => {
    await node.post('/auth/apple/nonce');
    world.clock.advance(10 * minute - 1);
    await cleanUp();
    expect(await count('nonces')).toBe(1);
    world.clock.advance(1);
    await cleanUp();
    expect(await count('nonces')).toBe(0);
  });

  it('keeps a session for 30 days after its end, and the active signing key always', async () => {
    const { body } = await node.signIn(newPerson());
    await node.post('/auth/logout', undefined, body['accessToken'] as string);
    world.clock.advance(30 * day - 1);
    await cleanUp();
    expect(await count('sessions')).toBe(1);
    world.clock.advance(1);
    await cleanUp();
    expect(await count('sessions')).toBe(0);
    expect(await count('signingkeys')).toBe(1);
  });
});
