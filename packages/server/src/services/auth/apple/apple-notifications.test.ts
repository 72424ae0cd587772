import { beforeAll, describe, expect, it } from '@jest/globals';
import type { User } from '@pufftrack/contract';
import { createOutboxStore } from '../../../platform/outbox/outbox-store.ts';
import { refOf } from '../../../platform/telemetry/logger.ts';
import {
  adult,
  clientId,
  sha256Hex,
  newPerson,
  useAuthWorld,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';
import type { PendingEvent } from './apple-notification-service.ts';

const second = 1_000;
const hour = 3_600 * second;

let world: AuthWorld;
let node: AuthNode;
let other: AuthNode;

useAuthWorld((started) => ({ world, node } = started));
beforeAll(async () => {
  other = await world.node();
});

const post = (payload: string, at = node) => at.post('/webhooks/apple', { payload });
/** Waits until the notifications have taken effect at every process, which may take 5 s (SES-6). */
const takeEffect = async () => {
  await world.drain();
  world.clock.advance(5 * second);
};
const notify = async (request: Parameters<AuthWorld['apple']['mintNotification']>[0]) => {
  const answer = await post(await world.apple.mintNotification(request));
  await takeEffect();
  return answer;
};
const signIn = async (person: string) => {
  const { body } = await node.signIn(person);
  return {
    token: body['accessToken'] as string,
    user: body['user'] as User,
    sub: world.apple.subjectOf(person),
  };
};
const codeAt = async (at: AuthNode, token: string) => (await at.get('/users/me', token)).body.code;
const linkOf = (sub: string) => node.connection.collection('applelinks').findOne({ sub });

describe('POST /webhooks/apple (SIWA-10, SIWA-11)', () => {
  it.each(['string', 'object', 'array'] as const)(
    'consent-revoked with events as %s ends all sessions at every process within 5 s',
    async (form) => {
      const person = newPerson();
      const [phone, tablet] = [await signIn(person), await signIn(person)];
      expect(await codeAt(other, phone.token)).toBeUndefined();
      world.clock.advance(1);
      expect((await notify({ type: 'consent-revoked', sub: phone.sub, clientId, form })).status).toBe(200);
      for (const { token } of [phone, tablet]) expect(await codeAt(node, token)).toBe('session-ended');
      expect(await codeAt(other, phone.token)).toBe('session-ended');
      expect(await linkOf(phone.sub)).toMatchObject({ refreshToken: null, userId: phone.user.id });
      // The data stays: the next sign-in opens the same account.
      expect((await signIn(person)).user.id).toBe(phone.user.id);
    },
  );

  it.each(['account-delete', 'account-deleted'])('%s deletes the account', async (type) => {
    const person = newPerson();
    const [{ token, sub, user }, neighbour] = [await signIn(person), await signIn(newPerson())];
    expect((await notify({ type, sub, clientId })).status).toBe(200);
    expect(await codeAt(node, token)).toBe('account-gone');
    expect(await linkOf(sub)).toBeNull();
    expect(await codeAt(node, neighbour.token)).toBeUndefined();
    expect((await signIn(person)).user.id).not.toBe(user.id);
  });

  it('account-delete from before the last sign-in has no effect', async () => {
    const { token, sub } = await signIn(newPerson());
    await notify({ type: 'account-delete', sub, clientId, at: world.clock.now() - hour });
    expect(await codeAt(node, token)).toBeUndefined();
  });

  it.each(['email-disabled', 'email-enabled', 'something-new'])('%s ends no session', async (type) => {
    const { token, sub } = await signIn(newPerson());
    expect((await notify({ type, sub, clientId })).status).toBe(200);
    expect(await codeAt(node, token)).toBeUndefined();
  });

  it('of an unknown subject is accepted and has no effect', async () => {
    expect((await notify({ type: 'consent-revoked', sub: 'unknown', clientId })).status).toBe(200);
  });

  it('takes effect once when it is delivered repeatedly to several processes', async () => {
    const person = newPerson();
    const { sub } = await signIn(person);
    world.clock.advance(1);
    const payload = await world.apple.mintNotification({ type: 'consent-revoked', sub, clientId });
    const at = (index: number) => (index % 2 === 0 ? node : other);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => post(payload, at(index))));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    await takeEffect();
    const back = await signIn(person);
    await post(payload);
    await takeEffect();
    expect(await codeAt(node, back.token)).toBeUndefined();
    expect(
      [...node.log, ...other.log].filter(
        ({ event, userRef }) => event === 'auth.all_sessions_ended' && userRef === refOf(back.user.id),
      ),
    ).toHaveLength(1);
  });

  it('is ignored when it is older than the last sign-in', async () => {
    const { token, sub } = await signIn(newPerson());
    await notify({ type: 'consent-revoked', sub, clientId, at: world.clock.now() - hour });
    expect(await codeAt(node, token)).toBeUndefined();
  });

  it('takes effect after a crash between the 200 and its effect', async () => {
    const { token, sub } = await signIn(newPerson());
    world.clock.advance(1);
    // What a process leaves behind that ends after it has stored the event.
    const store = createOutboxStore<PendingEvent>(node.connection, 'applenotifications');
    const payload = { type: 'consent-revoked', sub, at: world.clock.now() };
    await store.add({ id: newPerson(), payload, now: world.clock.now() });
    await takeEffect();
    expect(await codeAt(node, token)).toBe('session-ended');
  });

  it('is not stored after it has been applied', async () => {
    const { sub } = await signIn(newPerson());
    await notify({ type: 'email-disabled', sub, clientId });
    const dump = JSON.stringify(
      await node.connection
        .collection('applenotifications')
        .find({ doneAt: { $ne: null } })
        .toArray(),
    );
    expect(dump).not.toContain(sub);
  });
});

describe('a payload that Apple has not signed', () => {
  const claims = (over: object = {}) => ({
    aud: clientId,
    sub: undefined,
    jti: newPerson(),
    events: JSON.stringify({ type: 'consent-revoked', sub: 'x', event_time: world.clock.now() }),
    ...over,
  });
  const minted: Record<string, () => Promise<string>> = {
    'a foreign key': () => world.apple.mintIdentityToken({ claims: claims(), key: 'foreign' }),
    'alg none': () => world.apple.mintIdentityToken({ claims: claims(), header: { alg: 'none' } }),
    'HS256 with the public key': () =>
      world.apple.mintIdentityToken({ claims: claims(), header: { alg: 'HS256' } }),
    'another app': () => world.apple.mintIdentityToken({ claims: claims({ aud: 'com.example.other' }) }),
    'another issuer': () =>
      world.apple.mintIdentityToken({ claims: claims({ iss: 'https://evil.example' }) }),
    'no jti': () => world.apple.mintIdentityToken({ claims: claims({ jti: undefined }) }),
    'no events': () => world.apple.mintIdentityToken({ claims: claims({ events: undefined }) }),
    'events that are no JSON': () => world.apple.mintIdentityToken({ claims: claims({ events: '{' }) }),
    'an event without a person': () =>
      world.apple.mintIdentityToken({ claims: claims({ events: { type: 'x' } }) }),
    'an iat of the future': () =>
      world.apple.mintIdentityToken({ claims: claims({ iat: world.clock.now() / second + 61 }) }),
    'an iat of 31 days ago': () =>
      world.apple.mintIdentityToken({
        claims: claims({ iat: world.clock.now() / second - 31 * 86_400, exp: undefined }),
      }),
    'an identity token': () =>
      world.apple.mintIdentityToken({ claims: { aud: clientId, sub: 'x', nonce: sha256Hex('n') } }),
    rubbish: () => Promise.resolve('rubbish'),
  };
  it.each(Object.keys(minted))('is rejected with 400: %s', async (name) => {
    const before = await node.connection.collection('applenotifications').countDocuments();
    expect((await post((await minted[name]?.()) ?? '')).body).toMatchObject({
      status: 400,
      code: 'malformed',
    });
    expect(await node.connection.collection('applenotifications').countDocuments()).toBe(before);
  });

  it('a notification is neither an identity token nor an access token', async () => {
    const payload = await world.apple.mintNotification({ type: 'consent-revoked', sub: 'x', clientId });
    const { nonce } = (await node.post('/auth/apple/nonce')).body as { nonce: string };
    const signedIn = await node.post('/auth/apple', { identityToken: payload, nonce, ...adult });
    expect(signedIn.body.code).toBe('invalid-identity-token');
    expect(await codeAt(node, payload)).toBe('invalid-token');
  });
});
