import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Problem } from '@pufftrack/contract';
import { MongoClient } from 'mongodb';
import { sha256Hex, startTestApp, testClientId, type Person, type TestApp } from '../src/index.ts';

type Json = Record<string, unknown>;

describe('optional and user-written text of a call', () => {
  let app: TestApp;
  let alice: Person;
  let count = 0;

  beforeAll(async () => {
    app = await startTestApp();
    alice = await app.person('alice');
  });
  afterAll(() => app.close());

  const send = async (method: string, path: string, body: object, token = alice.client.accessToken()) => {
    const answer = await fetch(`${app.url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Json };
  };

  /** A first sign-in of a new Apple ID. */
  const signUp = async (extra: object) => {
    const { nonce } = await app.client().call('createNonce');
    const person = `new person ${(count += 1)}`;
    const sheet = await app.apple.authorize({ person, clientId: testClientId, nonce: sha256Hex(nonce) });
    const body = { identityToken: sheet.identityToken, nonce, ageBand: '18+', ...extra };
    return send('POST', '/auth/apple', body, null);
  };
  const named = (firstName: unknown, lastName?: unknown) => ({ user: { name: { firstName, lastName } } });

  it.each<[string, unknown, string | null]>([
    ['51 characters', 'a'.repeat(51), 'a'.repeat(50)],
    ['a line break', 'Ann\n', 'Ann'],
    ['an emoji at the limit', `${'a'.repeat(49)}👨‍👩‍👧‍👦`, 'a'.repeat(49)],
    ['5,000 characters', 'ü'.repeat(5_000), 'ü'.repeat(50)],
    ['a direction override', '\u202eAnn', 'Ann'],
    ['nothing visible', '\u200b\u3164', null],
    ['half a character', 'Ann\ud800', 'Ann'],
    ['a number', 7, null],
    ['an object', { a: 1 }, null],
    ['a list', ['Ann'], null],
    ['null', null, null],
  ])('a first sign-in is accepted with a first name of %s', async (_what, firstName, name) => {
    expect(await signUp(named(firstName))).toMatchObject({ status: 200, body: { user: { name } } });
  });

  it.each([
    { user: 'Ann' },
    { user: 7 },
    { user: [] },
    { user: { name: 'Ann' } },
    { user: { name: null } },
    { device: 'iPhone' },
    { device: 7 },
    { device: { id: 7, name: {}, model: [] } },
    { device: { id: 'x'.repeat(65), name: '\u202e', model: '\n' } },
    { timeZone: 'Mars/Olympus' },
    { timeZone: 7 },
    { timeZone: '' },
    { timeZone: 'x'.repeat(100) },
    { locale: 'rubbish please' },
    {
      user: null,
      device: null,
      timeZone: null,
      authorizationCode: null,
      deviceCheckToken: null,
      consents: null,
    },
  ])('a first sign-in is accepted with %j', async (extra) => {
    expect(await signUp(extra)).toMatchObject({
      status: 200,
      body: { user: { name: null, timeZone: 'UTC' } },
    });
  });

  it('a device is listed with its name and model without controls, cut to their maximum', async () => {
    const device = {
      id: 'phone',
      name: `Ann\u2019s\u202e phone ${'x'.repeat(80)}`,
      model: 'iPhone\u200b17,1',
    };
    const { body } = await signUp({ device });
    const answer = await fetch(`${app.url}/auth/sessions`, {
      headers: { authorization: `Bearer ${String(body['accessToken'])}` },
    });
    const [session] = ((await answer.json()) as { sessions: { device: Json }[] }).sessions;
    expect(session?.device).toMatchObject({ id: 'phone', model: 'iPhone17,1' });
    expect(session?.device['name']).toMatch(/^Ann’s phone x{52}$/);
  });

  it.each([
    ['name', 'PATCH', '/users/me', (value: string) => ({ name: value })],
    ['trigger', 'POST', '/puffs', (value: string) => ({ trigger: value })],
    ['deviceId', 'POST', '/puffs', (value: string) => ({ deviceId: value })],
  ])(
    'a %s without visible characters, or with controls, is rejected and named',
    async (field, method, path, bodyOf) => {
      for (const value of [
        '\u200b',
        '\u202eevil',
        '\u3164',
        '\u2800',
        'a\u00adb',
        `Z${'\u0316'.repeat(9)}`,
        ' ',
      ]) {
        const { body } = await send(method, path, bodyOf(value));
        expect(body as Problem).toMatchObject({ status: 422, code: 'invalid', errors: [{ path: field }] });
      }
    },
  );

  it('a name with emoji, a joiner of Persian or a Han variant is kept as written', async () => {
    for (const name of ['👩🏽‍❤️‍💋‍👨🏿 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣', 'می\u200cخواهم', '葛\u{E0100}城'])
      expect(await send('PATCH', '/users/me', { name })).toMatchObject({ status: 200, body: { name } });
  });

  it('an invalid trigger rejects only its own item of a batch', async () => {
    const timestamp = '2026-10-21T09:00:00Z';
    const puffs = ['coffee', 'a\u202eb', null, '\u200b'].map((trigger) => ({
      id: randomUUID(),
      timestamp,
      trigger,
    }));
    expect((await send('POST', '/puffs/batch', { puffs })).body['results']).toMatchObject([
      { status: 'created' },
      { status: 'rejected', code: 'invalid', errors: [{ path: 'trigger' }] },
      { status: 'created' },
      { status: 'rejected', code: 'invalid', errors: [{ path: 'trigger' }] },
    ]);
  });

  it('null means absent in a puff, in every item of a batch and over the socket', async () => {
    const nothing = { timeZone: null, deviceId: null, quantity: null, product: null, trigger: null };
    const expected = {
      timeZone: 'Europe/Berlin',
      deviceId: null,
      quantity: 1,
      product: 'vape',
      trigger: null,
    };
    const all = { id: null, timestamp: null, ...nothing };
    expect(await send('POST', '/puffs', all)).toMatchObject({ status: 201, body: { puff: expected } });
    const item = { id: randomUUID(), timestamp: '2026-10-21T09:00:00Z', ...nothing };
    expect(await send('POST', '/puffs/batch', { puffs: [item] })).toMatchObject({
      body: { results: [{ status: 'created' }] },
    });
    const socket = await alice.connect();
    expect(await socket.puff({ ...all, puffs: null } as object)).toMatchObject({
      status: 'created',
      puff: expected,
    });
    expect(await socket.undo({ id: null })).toMatchObject({ undonePuff: expected });
    socket.close();
    expect(await send('POST', '/puffs/undo', { id: null })).toMatchObject({
      status: 200,
      body: { undonePuff: expected },
    });
  });

  it.each(['', '\u202e', 'Mars/Olympus\u200b', 'x'.repeat(100)])(
    'a puff with the time zone %j is recorded in the zone of the profile',
    async (timeZone) => {
      expect(await send('POST', '/puffs', { timeZone })).toMatchObject({
        status: 201,
        body: { puff: { timeZone: 'Europe/Berlin', timeZoneInferred: true } },
      });
    },
  );

  it.each([
    ['de_DE', 'de-DE'],
    ['en_US@currency=EUR', 'en-US'],
    ['zh-Hans_CN', 'zh-Hans-CN'],
  ])('the locale %s, as devices write it, is stored as the language tag %s', async (locale, kept) => {
    expect(await send('PATCH', '/users/me', { locale })).toMatchObject({
      status: 200,
      body: { locale: kept },
    });
  });

  it.each(['x'.repeat(60), 'rubbish please', '', '\u202e'])(
    'an invalid locale of %j is ignored and the other fields are stored',
    async (locale) => {
      const before = (await alice.client.call('getMe')).locale;
      const weekStart = count % 2 === 0 ? 'sunday' : 'monday';
      count += 1;
      expect(await send('PATCH', '/users/me', { locale, weekStart })).toMatchObject({
        status: 200,
        body: { locale: before, weekStart },
      });
    },
  );

  it('a friend code matches in full width and with pasted surroundings, and is listed as typed', async () => {
    const bob = await app.person('bob');
    const { friendCode } = await bob.client.call('getMe');
    const wide = Array.from(friendCode)
      .map((digit) => String.fromCodePoint((digit.codePointAt(0) ?? 0) + 0xfee0))
      .join('');
    const typed = `${wide.slice(0, 5)}－${wide.slice(5)}`;
    expect(await send('POST', '/friends/request', { friendCode: `\u2068${typed}\u2069` })).toMatchObject({
      status: 202,
    });
    const { received } = await bob.client.call('listFriendRequests');
    expect(received).toMatchObject([{ from: { userId: alice.userId } }]);
    const { sent } = await alice.client.call('listFriendRequests');
    expect(sent).toMatchObject([{ friendCode: typed }]);
  });

  it('a name with controls from an earlier version is shown to other users without them', async () => {
    const [carla, dora] = [await app.person('carla'), await app.person('dora')];
    const { friendCode } = await dora.client.call('getMe');
    const mongo = await new MongoClient(app.mongoUri).connect();
    await mongo
      .db()
      .collection<{ _id: string }>('users')
      .updateOne({ _id: carla.userId }, { $set: { name: '\u202eCarla\u200b' } });
    await mongo.close();
    app.clock.advance(10_000);
    await carla.client.call('requestFriend', { body: { friendCode } });
    const { received } = await dora.client.call('listFriendRequests');
    expect(received).toMatchObject([{ from: { name: 'Carla' } }]);
    const { notifications } = await dora.client.call('listNotifications');
    expect(JSON.stringify(notifications)).toContain('Carla');
    expect(JSON.stringify(notifications)).not.toMatch(/[\u202e\u200b]/);
  });
});
