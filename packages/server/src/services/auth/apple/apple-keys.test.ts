import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startAppleSimulator, type AppleSimulator } from '@pufftrack/apple-simulator';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { createMetrics } from '../../../platform/telemetry/metrics.ts';
import { createAuthMetrics } from '../auth-metrics.ts';
import { patientAppleLimits } from '../../../../test/auth-server.ts';
import { createAppleKeys, type AppleKeys } from './apple-keys.ts';
import { productionAppleLimits } from './apple-time-limits.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const log = createLogger({ level: 'silent' });
const metrics = createAuthMetrics(createMetrics());

let now = 0;
const clock = { now: () => now };
let apple: AppleSimulator;
let keys: AppleKeys;
let limits: { keysMs: number; newerKeysMs: number };

beforeEach(async () => {
  now = Date.parse('2026-10-21T10:00:00Z');
  apple = await startAppleSimulator({ now: clock.now });
  limits = { ...patientAppleLimits };
  keys = createAppleKeys({ url: `${apple.baseUrl}/auth/keys`, clock, log, metrics, limits });
});
afterEach(() => apple.close());

const unavailable = (retryAfterSeconds: unknown = expect.any(Number)) =>
  expect.objectContaining({
    code: 'apple-unavailable',
    details: expect.objectContaining({ retryAfterSeconds }) as unknown,
  });

describe("Apple's keys (SIWA-5)", () => {
  it('are fetched once for concurrent sign-ins', async () => {
    const found = await Promise.all(Array.from({ length: 20 }, () => keys.find(apple.keyId)));
    expect(found.every((key) => key?.asymmetricKeyType === 'rsa')).toBe(true);
    now += 9 * minute;
    await keys.find(apple.keyId);
    expect(apple.keyFetches).toBe(1);
  });

  it('are fetched once more after a rotation', async () => {
    await keys.find(apple.keyId);
    const kid = await apple.rotateKey();
    now += 30 * second;
    expect(await keys.find(kid)).toBeDefined();
    expect(apple.keyFetches).toBe(2);
  });

  it('are fetched at most once in 30 s for 1,000 unknown key ids', async () => {
    await keys.find(apple.keyId);
    for (let sent = 0; sent < 1_000; sent++) {
      now += 29;
      expect(await keys.find(`bogus-${sent}`)).toBeUndefined();
    }
    expect(apple.keyFetches).toBe(1);
    now += second;
    await Promise.all(Array.from({ length: 100 }, (_, index) => keys.find(`more-${index}`)));
    expect(apple.keyFetches).toBe(2);
  });

  it('are not fetched more often while Apple fails', async () => {
    await keys.find(apple.keyId);
    apple.setOutage('error');
    now += 31 * second;
    for (let sent = 0; sent < 30; sent++) {
      await expect(keys.find(`bogus-${sent}`)).rejects.toEqual(unavailable(30 - sent));
      now += second;
    }
    expect(apple.keyFetches).toBe(2);
    await expect(keys.find('one-more')).rejects.toEqual(unavailable(30));
    expect(apple.keyFetches).toBe(3);
  });

  it.each(['refuse', 'error'] as const)(
    'stay usable during an outage (%s) for 24 hours, and no longer',
    async (outage) => {
      await keys.find(apple.keyId);
      apple.setOutage(outage);
      now += 23 * hour;
      expect(await keys.find(apple.keyId)).toBeDefined();
      await expect(keys.find('unknown')).rejects.toEqual(unavailable());
      now += hour;
      await expect(keys.find(apple.keyId)).rejects.toEqual(unavailable());
      apple.setOutage('none');
      expect(await keys.find(apple.keyId)).toBeDefined();
    },
  );

  it('are fetched again by the next sign-in if none were ever fetched', async () => {
    apple.setOutage('refuse');
    await expect(keys.find(apple.keyId)).rejects.toEqual(unavailable());
    apple.setOutage('none');
    expect(await keys.find(apple.keyId)).toBeDefined();
  });

  it('are dropped when Apple no longer publishes them', async () => {
    const old = apple.keyId;
    await keys.find(old);
    await apple.rotateKey({ keepOld: false });
    now += 10 * minute;
    expect(await keys.find(old)).toBeUndefined();
  });

  it('do not delay a sign-in with a known key while Apple does not answer', async () => {
    await keys.find(apple.keyId);
    apple.hold('/auth/keys');
    now += 11 * minute;
    const unknown = keys.find('unknown');
    await apple.held(1);
    limits.newerKeysMs = 20;
    expect(await keys.find(apple.keyId)).toBeDefined();
    apple.release();
    expect(await unknown).toBeUndefined();
    expect(apple.keyFetches).toBe(2);
  });

  it('are unavailable for an unknown key id when Apple does not answer in time', async () => {
    await keys.find(apple.keyId);
    apple.hold('/auth/keys');
    now += 11 * minute;
    limits.keysMs = 50;
    await expect(keys.find('unknown')).rejects.toEqual(unavailable());
    apple.release();
  });

  it('are waited for 5 s in production, 1 s with a known key', () => {
    expect(productionAppleLimits).toMatchObject({ keysMs: 5 * second, newerKeysMs: second });
  });

  it('do not expire when the clock is set back', async () => {
    await keys.find(apple.keyId);
    await apple.rotateKey({ keepOld: false });
    now -= hour;
    expect(await keys.find(apple.keyId)).toBeDefined();
  });
});

describe('the clock of this machine (SIWA-7)', () => {
  const warningsWhenOff = async (offMs: number) => {
    const warnings: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void warnings.push(JSON.parse(line) as object as never) };
    const off = createAppleKeys({
      url: `${apple.baseUrl}/auth/keys`,
      clock: { now: () => now + offMs },
      log: createLogger({ level: 'warn', destination }),
      metrics,
      limits: patientAppleLimits,
    });
    off.prefetch();
    await off.find(apple.keyId);
    return warnings;
  };

  it.each([
    [hour, 'ahead', 3_600],
    [-2 * minute, 'behind', 120],
  ])('logs a warning at the start when it is off by %d ms', async (offMs, direction, seconds) => {
    const [warning, ...more] = await warningsWhenOff(offMs);
    expect(warning).toMatchObject({ event: 'auth.clock_off', direction, seconds });
    expect(String(warning?.['msg'])).toContain(`${seconds} s ${direction}`);
    expect(more).toEqual([]);
    expect(apple.keyFetches).toBe(1);
  });

  it('logs no warning when it is off by less than a minute', async () => {
    for (const offMs of [0, minute - second, second - minute])
      expect(await warningsWhenOff(offMs)).toEqual([]);
  });
});

describe("Apple's answer (API-10)", () => {
  let server: Server;
  let answer: RequestListener;
  let odd: AppleKeys;

  beforeEach(async () => {
    server = createServer((req, res) => {
      answer(req, res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    odd = createAppleKeys({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth/keys`,
      clock,
      log,
      metrics,
      limits: patientAppleLimits,
    });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' });
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).publicKey;

  it.each<[string, RequestListener]>([
    ['no JSON', (_req, res) => res.end('<html>')],
    ['no key set', (_req, res) => res.end('{"keys":7}')],
    ['an empty set', (_req, res) => res.end('{"keys":[]}')],
    ['a set too large', (_req, res) => res.end(`{"keys":[],"x":"${'x'.repeat(70_000)}"}`)],
    ['half a set', (_req, res) => res.writeHead(200, { 'content-length': 99 }).end('{"keys":[')],
    ['a redirect', (_req, res) => res.writeHead(302, { location: `${apple.baseUrl}/auth/keys` }).end()],
    ['a short key', (_req, res) => res.end(JSON.stringify({ keys: [jwkOf(rsa(1024), 'any')] }))],
    ['no numbers', (_req, res) => res.end('{"keys":[{"kty":"RSA","kid":"any","n":"","e":""}]}')],
  ])('is rejected: %s', async (_name, listener) => {
    answer = listener;
    await expect(odd.find(apple.keyId)).rejects.toEqual(unavailable());
  });

  it('may contain keys of another kind, which are ignored', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    answer = (_req, res) =>
      res.end(JSON.stringify({ keys: [null, jwkOf(ec, 'ec'), jwkOf(rsa(2048), 'right'), 'x'] }));
    expect(await odd.find('right')).toBeDefined();
    expect(await odd.find('ec')).toBeUndefined();
  });
});
