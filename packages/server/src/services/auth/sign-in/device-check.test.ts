import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { UnavailableError } from '../../../platform/concurrency/circuit-breaker.ts';
import {
  adult,
  patientAppleLimits,
  sha256Hex,
  newPerson,
  useAuthWorld,
  team,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';
import { productionAppleLimits } from '../apple/apple-time-limits.ts';
import { createDeviceCheckApi } from './device-check-api.ts';
import { decideDevice, isBanned } from './device-check.ts';

const now = Date.parse('2026-10-21T10:00:00Z');
const minute = 60_000;
const newToken = () => Buffer.from(newPerson()).toString('base64');

describe('a ban (DC-5)', () => {
  it.each([
    [{ bit0: true, lastUpdateTime: '2026-10' }, true],
    [{ bit0: true, lastUpdateTime: '2025-10' }, true],
    [{ bit0: true, lastUpdateTime: '2025-09' }, false],
    [{ bit0: true, lastUpdateTime: null }, false],
    [{ bit0: true, lastUpdateTime: 'lately' }, false],
    [{ bit0: false, lastUpdateTime: '2026-10' }, false],
  ])('%j: %p', (bits, banned) => {
    expect(isBanned({ bit1: false, ...bits }, now)).toBe(banned);
  });

  it.each([
    ['off', 'banned', true, 'accept'],
    ['monitor', 'banned', true, 'accept'],
    ['enforce', 'banned', true, 'refuse'],
    ['enforce', 'invalid', true, 'refuse'],
    ['enforce', 'unknown', true, 'count'],
    ['enforce', 'missing', true, 'count'],
    ['enforce', 'clean', true, 'accept'],
    ['enforce', 'banned', false, 'accept'],
    ['enforce', 'unknown', false, 'accept'],
  ] as const)('%s, %s, new account %p: %s', (mode, verdict, isNew, decision) => {
    expect(decideDevice(mode, verdict, isNew)).toBe(decision);
  });
});

describe('answers of DeviceCheck (DC-3)', () => {
  let server: Server | undefined;
  let calls = 0;
  let providerTokens = new Set<string | undefined>();
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  const queryOf = async (...answers: [number, string][]) => {
    calls = 0;
    providerTokens = new Set();
    server = createServer((request, response) => {
      request.resume();
      providerTokens.add(request.headers.authorization);
      const [status, text] = answers[Math.min(calls++, answers.length - 1)] ?? [500, ''];
      response.writeHead(status).end(text);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const clock = { now: () => now };
    return createDeviceCheckApi({ baseUrl, team, clock, limits: patientAppleLimits })(newToken());
  };
  const none = { bit0: false, bit1: false, lastUpdateTime: null };
  const bits = '{"bit0":true,"bit1":false,"last_update_time":"2026-03"}';

  it.each<[string, [number, string][], object | undefined, number]>([
    ['bits', [[200, bits]], { bit0: true, bit1: false, lastUpdateTime: '2026-03' }, 1],
    ['no bits', [[200, 'Failed to find bit state']], none, 1],
    ['no bits, alternative text', [[200, 'Bit State Not Found']], none, 1],
    ['a bad token', [[400, 'Missing or badly formatted device token']], undefined, 1],
    [
      'a 401, then bits',
      [
        [401, ''],
        [200, bits],
      ],
      { bit0: true, bit1: false, lastUpdateTime: '2026-03' },
      2,
    ],
    [
      'a 503, then no bits',
      [
        [503, ''],
        [200, 'Bit State Not Found'],
      ],
      none,
      2,
    ],
  ])('%s', async (_what, answers, expected, expectedCalls) => {
    expect(await queryOf(...answers)).toEqual(expected);
    expect(calls).toBe(expectedCalls);
    // Only a 401 replaces the provider token (DC-2).
    expect(providerTokens.size).toBe(answers[0]?.[0] === 401 ? 2 : 1);
  });

  it.each<[string, [number, string][]]>([
    ['truncated JSON', [[200, '{"bit0":tr']]],
    ['HTML', [[200, '<html>hello</html>']]],
    ['bits of another type', [[200, '{"bit0":1,"bit1":0,"last_update_time":"2026-03"}']]],
    ['401 twice', [[401, '']]],
    ['429 twice', [[429, '']]],
    ['500 twice', [[500, '']]],
    ['too much', [[200, 'x'.repeat(20_000)]]],
  ])('%s: unknown', async (_what, answers) => {
    await expect(queryOf(...answers)).rejects.toBeInstanceOf(UnavailableError);
  });
});

it('DeviceCheck may take 2 s of a sign-in in production (DC-4)', () => {
  expect(productionAppleLimits.deviceCheckMs).toBe(2_000);
});

describe('a sign-in with a device token', () => {
  let world: AuthWorld;
  let node: AuthNode;
  useAuthWorld((started) => ({ world, node } = started), { apple: { deviceCheckMode: 'enforce' } });

  const signIn = (person: string, deviceCheckToken: string | undefined, at = node) =>
    at.signIn(person, { ...adult, ...(deviceCheckToken !== undefined && { deviceCheckToken }) });
  const bannedToken = (lastUpdateTime: string) => {
    const token = newToken();
    world.apple.devices.set(token, { bit0: true, bit1: false, lastUpdateTime });
    return token;
  };

  it('creates an account from a clean device, and none from a banned one', async () => {
    expect((await signIn(newPerson(), newToken())).status).toBe(200);
    const refused = await signIn(newPerson(), bannedToken('2026-09'));
    expect(refused.body).toMatchObject({ status: 403, code: 'device-refused' });
    expect((await signIn(newPerson(), bannedToken('2025-08'))).status).toBe(200);
    expect((await signIn(newPerson(), 'no base64!')).body.code).toBe('device-refused');
  });

  it('accepts an existing account on any device', async () => {
    const person = newPerson();
    await signIn(person, newToken());
    expect((await signIn(person, bannedToken('2026-09'))).status).toBe(200);
  });

  it('refuses no sign-in in monitor mode, and makes no query when off', async () => {
    const monitor = await world.node({ apple: { deviceCheckMode: 'monitor' } });
    expect((await signIn(newPerson(), bannedToken('2026-09'), monitor)).status).toBe(200);
    expect(monitor.log).toContainEqual(
      expect.objectContaining({ event: 'auth.device_checked', verdict: 'banned' }),
    );
    const off = await world.node({ apple: { deviceCheckMode: 'off' } });
    const before = world.apple.devices.queries;
    expect((await signIn(newPerson(), bannedToken('2026-09'), off)).status).toBe(200);
    expect(world.apple.devices.queries).toBe(before);
  });

  it('accepts a token for one sign-in, and stores it nowhere (DC-4)', async () => {
    const token = newToken();
    expect((await signIn(newPerson(), token)).status).toBe(200);
    expect((await signIn(newPerson(), token)).body.code).toBe('device-refused');
    const collections = await node.connection.listCollections();
    const dump = JSON.stringify(
      await Promise.all(collections.map(({ name }) => node.connection.collection(name).find().toArray())),
    );
    expect(dump).not.toContain(token);
    expect(JSON.stringify(node.log)).not.toContain(token);
  });

  it('does not wait for an Apple that does not answer, and does not call it after three failures (DC-4)', async () => {
    const person = newPerson();
    const limits = { ...patientAppleLimits };
    const cold = await world.node({ apple: { deviceCheckMode: 'enforce', timeLimits: limits } });
    await signIn(person, newToken(), cold);
    const repeat = async () => {
      const { nonce } = (await cold.post('/auth/apple/nonce')).body as { nonce: string };
      const identityToken = await world.apple.mintIdentityToken({
        claims: { aud: 'app.pufftrack.test', sub: world.apple.subjectOf(person), nonce: sha256Hex(nonce) },
      });
      return (await cold.post('/auth/apple', { identityToken, nonce, deviceCheckToken: newToken() })).status;
    };
    world.apple.hold('/v1/query_two_bits');
    limits.deviceCheckMs = 50;
    expect([await repeat(), await repeat(), await repeat()]).toEqual([200, 200, 200]);
    // With this limit a call to Apple would never end.
    limits.deviceCheckMs = patientAppleLimits.deviceCheckMs;
    expect(await repeat()).toBe(200);
    world.apple.release();
    const metrics = await cold.metrics();
    expect(metrics).toContain('pufftrack_devicecheck_unknown_total 4');
    expect(metrics).toContain('pufftrack_apple_unavailable_total{service="devicecheck"} 4');
    expect(metrics).toContain('pufftrack_apple_circuit_open{service="devicecheck"} 1');
    const before = world.apple.devices.queries;
    world.clock.advance(minute);
    expect(await repeat()).toBe(200);
    expect(await cold.metrics()).toContain('pufftrack_apple_circuit_open{service="devicecheck"} 0');
    expect(world.apple.devices.queries).toBe(before + 1);
  });

  it('rate-limits new accounts while devices cannot be checked', async () => {
    const cold = await world.node({ apple: { deviceCheckMode: 'enforce' } });
    const statuses: number[] = [];
    for (let count = 0; count < 61; count++)
      statuses.push((await signIn(newPerson(), undefined, cold)).status);
    expect(statuses).toEqual([...Array<number>(60).fill(200), 429]);
    world.clock.advance(60 * minute);
    expect((await signIn(newPerson(), undefined, cold)).status).toBe(200);
  });

  it('creates a new provider token once when Apple refuses it (DC-2)', async () => {
    world.apple.devices.refuseProviderTokens(1);
    const before = world.apple.devices.queries;
    expect((await signIn(newPerson(), newToken())).status).toBe(200);
    expect(world.apple.devices.queries).toBe(before + 2);
  });
});
