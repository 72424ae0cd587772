import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startApnsSimulator,
  type ApnsSimulator,
  type ApnsSimulatorOptions,
} from '@pufftrack/apple-simulator';
import { minuteMs } from '../../../../domain/durations.ts';
import { createApnsClient, type ApnsClient } from './apns-client.ts';
import { createProviderTokens } from './apns-provider-token.ts';

const topic = 'app.pufftrack.test';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = {
  teamId: 'SIMULATED0',
  keyId: 'PUSHKEY000',
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('createApnsClient', () => {
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

  it('sends the headers that APNs requires (PUSH-3)', async () => {
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

  /** Sends all pushes and answers once one, and after its response `then` others, are open at the same time. */
  const pushHeld = async (ids: readonly string[], then: number) => {
    apns.hold();
    const outcomes = Promise.all(ids.map((id, index) => push(`a${index}`, id)));
    await apns.held(1);
    apns.release();
    apns.hold();
    await apns.held(then);
    apns.release();
    return outcomes;
  };
  const newIds = (count: number) => range(count).map(() => randomUUID());

  it('opens one stream until the first push is accepted, then many, on one connection (PUSH-1)', async () => {
    // The server allows more, so the client's own limit applies.
    await open({ streams: { first: 100, then: 100 } });
    const outcomes = await pushHeld(newIds(40), 39);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['sent']));
    expect(apns.openAtOnce.first).toBe(1);
    expect(apns.openAtOnce.then).toBeGreaterThanOrEqual(39);
    expect(apns.connections).toBe(1);
  });

  it('keeps to the limits of APNs: 1 stream, then 100', async () => {
    await open();
    await pushHeld(newIds(150), 100);
    expect(apns.pushes).toHaveLength(150);
    expect(apns.openAtOnce.first).toBe(1);
    expect(apns.openAtOnce.then).toBeLessThanOrEqual(100);
  });

  it('sends the pushes that a GOAWAY left unprocessed on a new connection, with the same apns-id', async () => {
    await open();
    await push('first');
    apns.reply('a5', 'goaway');
    const ids = newIds(12);
    apns.hold();
    const responses = Promise.all(ids.map((id, index) => push(`a${index}`, id)));
    await apns.held(ids.length);
    apns.release();
    const outcomes = await responses;
    expect(outcomes.map(({ kind }) => kind)).toEqual(ids.map(() => 'sent'));
    expect(apns.connections).toBe(2);
    const taken = apns.pushes.filter(({ status }) => status === 200).map(({ headers }) => headers['apns-id']);
    expect(new Set(taken.slice(1))).toEqual(new Set(ids));
    expect(apns.pushes.filter(({ headers }) => headers['apns-id'] === ids[5])).toHaveLength(2);
  });

  it('repeats a reset stream once, then answers retry', async () => {
    await open();
    apns.reply('aa', 'reset');
    expect(await push('aa')).toEqual({ kind: 'sent' });
    apns.reply('aa', 'reset', 'reset');
    expect(await push('aa')).toMatchObject({ kind: 'retry' });
  });

  it('renews an expired provider token once (PUSH-2)', async () => {
    await open();
    now = Date.parse('2026-10-21T10:39:00Z');
    apns.reply('aa', { status: 403, reason: 'ExpiredProviderToken' });
    expect(await push('aa')).toEqual({ kind: 'sent' });
    apns.reply('aa', { status: 403, reason: 'ExpiredProviderToken' });
    expect(await push('aa')).toMatchObject({ kind: 'halt' });
    expect(apns.tokenInstants).toEqual(new Set([now / 1000]));
  });

  it('rejects a server whose certificate is not from the configured authority', async () => {
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
  it('of ten processes are issued at five instants in three hours', async () => {
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

  it('are not renewed for 20 minutes after TooManyProviderTokenUpdates', async () => {
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
