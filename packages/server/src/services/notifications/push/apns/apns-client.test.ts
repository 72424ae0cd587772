import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startApnsSimulator,
  type ApnsSimulator,
  type ApnsSimulatorOptions,
} from '@pufftrack/apple-simulator';
import { createApnsClient, type ApnsClient } from './apns-client.ts';
import { createProviderTokens } from './apns-provider-token.ts';

const minuteMs = 60_000;
const topic = 'app.pufftrack.test';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = {
  teamId: 'SIMULATED0',
  keyId: 'PUSHKEY000',
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the client of APNs, over HTTP/2', () => {
  let now: number;
  let apns: ApnsSimulator;
  let client: ApnsClient;
  const clock = { now: () => now };

  const open = async (options: Partial<ApnsSimulatorOptions> = {}) => {
    apns = await startApnsSimulator({ now: clock.now, topic, key: publicKey, ...options });
    client = createApnsClient({ ...key, topic, baseUrl: apns.baseUrl, ca: apns.ca }, clock);
  };
  const push = (deviceToken: string, id: string = randomUUID()) =>
    client.send({
      id,
      deviceToken,
      environment: 'production',
      payload: '{"aps":{}}',
      collapseId: 'collapse',
      expiresAt: now + 60 * minuteMs,
    });

  beforeEach(() => {
    now = Date.parse('2026-10-21T10:05:00Z');
  });
  afterEach(async () => {
    client.close();
    await apns.close();
  });

  it('sends what Apple asks for (PUSH-3)', async () => {
    await open();
    const id = randomUUID();
    expect(await push('aa', id)).toEqual({ kind: 'sent' });
    expect(apns.pushes).toMatchObject([
      {
        deviceToken: 'aa',
        headers: {
          'apns-id': id,
          'apns-topic': topic,
          'apns-push-type': 'alert',
          'apns-priority': '10',
          'apns-expiration': String(Date.parse('2026-10-21T11:05:00Z') / 1000),
          'apns-collapse-id': 'collapse',
        },
        payload: { aps: {} },
      },
    ]);
  });

  it('has one stream open until the first push is taken, and many after it, on one connection (PUSH-1)', async () => {
    // Apple's own bound is far away here, so that it is ours that shows.
    await open({ streams: { first: 100, then: 100 }, latencyMs: 50 });
    const outcomes = await Promise.all(range(40).map((index) => push(`a${index}`)));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['sent']));
    expect(apns.openAtOnce.first).toBe(1);
    expect(apns.openAtOnce.then).toBeGreaterThan(10);
    expect(apns.connections).toBe(1);
  });

  it('keeps to the bound of Apple: 1, then 100', async () => {
    await open({ latencyMs: 5 });
    await Promise.all(range(150).map((index) => push(`a${index}`)));
    expect(apns.pushes).toHaveLength(150);
    expect(apns.openAtOnce.first).toBe(1);
    expect(apns.openAtOnce.then).toBeLessThanOrEqual(100);
  });

  it('sends again on a new connection what a GOAWAY has left, with the same apns-id', async () => {
    await open({ latencyMs: 10 });
    await push('first');
    apns.reply('a5', 'goaway');
    const ids = range(12).map(() => randomUUID());
    const outcomes = await Promise.all(ids.map((id, index) => push(`a${index}`, id)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(ids.map(() => 'sent'));
    expect(apns.connections).toBe(2);
    const taken = apns.pushes.filter(({ status }) => status === 200).map(({ headers }) => headers['apns-id']);
    expect(new Set(taken.slice(1))).toEqual(new Set(ids));
    expect(apns.pushes.filter(({ headers }) => headers['apns-id'] === ids[5])).toHaveLength(2);
  });

  it('tries a stream that was reset once more, and then says that it is to be tried later', async () => {
    await open();
    apns.reply('aa', 'reset');
    expect(await push('aa')).toEqual({ kind: 'sent' });
    apns.reply('aa', 'reset', 'reset');
    expect(await push('aa')).toMatchObject({ kind: 'retry' });
  });

  it('makes a new token of one that has run out, once (PUSH-2)', async () => {
    await open();
    now = Date.parse('2026-10-21T10:39:00Z');
    apns.reply('aa', { status: 403, reason: 'ExpiredProviderToken' });
    expect(await push('aa')).toEqual({ kind: 'sent' });
    apns.reply('aa', { status: 403, reason: 'ExpiredProviderToken' });
    expect(await push('aa')).toMatchObject({ kind: 'halt' });
    expect(apns.tokenInstants).toEqual(new Set([now / 1000]));
  });

  it('is refused by a name that another authority vouches for', async () => {
    await open();
    const other = createApnsClient({ ...key, topic, baseUrl: apns.baseUrl, ca: undefined }, clock);
    const [outcome] = await Promise.all([
      other.send({
        id: randomUUID(),
        deviceToken: 'aa',
        environment: 'sandbox',
        payload: '{}',
        collapseId: 'c',
        expiresAt: now,
      }),
    ]);
    other.close();
    expect(outcome).toMatchObject({ kind: 'retry' });
    expect(apns.pushes).toEqual([]);
  });
});

describe('provider tokens (PUSH-2)', () => {
  it('of ten processes over three hours name five instants', async () => {
    let now = Date.parse('2026-10-21T10:05:00Z');
    const workers = range(10).map(() => createProviderTokens(key, { now: () => now }));
    const instants = new Set<unknown>();
    for (let minute = 0; minute < 180; minute++, now += minuteMs)
      for (const worker of workers) {
        const claims: unknown = JSON.parse(
          Buffer.from((await worker.current()).split('.')[1] ?? '', 'base64url').toString(),
        );
        instants.add((claims as { iat: number }).iat);
      }
    expect(instants.size).toBe(5);
  });

  it('are not made for 20 minutes where Apple has seen too many', async () => {
    let now = Date.parse('2026-10-21T10:39:00Z');
    const tokens = createProviderTokens(key, { now: () => now });
    const first = tokens.current();
    tokens.hold();
    now += 19 * minuteMs;
    expect(tokens.current()).toBe(first);
    expect(tokens.renew(first)).toBe(false);
    now += minuteMs;
    expect(tokens.current()).not.toBe(first);
    expect(await tokens.current()).not.toBe(await first);
  });
});
