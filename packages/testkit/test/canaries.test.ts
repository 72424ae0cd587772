import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { BatchPuffInput, clientEvents, endpoints, type EndpointSpec } from '@pufftrack/contract';
import { createLogger } from '@pufftrack/server';
import { io, type Socket } from 'socket.io-client';
import type { z } from 'zod';
import { patienceMs, sha256Hex, startTestApp, testClientId, type TestApp } from '../src/index.ts';

/** What must never be seen again, with the place where it was sent. */
const canaries = new Map<string, string>();
const keep = (where: string, value: string): string => {
  canaries.set(value, where);
  return value;
};
const random = (bytes = 6) => randomBytes(bytes).toString('hex');

/** Values of every form that a field may want; the first that its schema takes goes deepest into the program. */
const forms: (() => string)[] = [
  () => `canary${random()}`,
  () => randomUUID(),
  // Within the last hours, and different each time.
  () => `2026-10-21T08:${String(10 + (canaries.size % 50))}:17.${String(100 + (canaries.size % 900))}Z`,
  () => `2026-09-${String(10 + (canaries.size % 20))}`,
];
/** A day or a number has too few values to be told from any other. */
const isTelling = (value: string) => !/^\d{4}-\d\d-\d\d$/.test(value);

interface Def {
  type: string;
  shape?: Record<string, z.ZodType>;
  element?: z.ZodType;
  options?: z.ZodType[];
  innerType?: z.ZodType;
  in?: z.ZodType;
  entries?: Record<string, string>;
}

/** A value of the schema with a canary in each text; `rubbish` has one in every place, whatever belongs there. */
const valueFor = (schema: z.ZodType, where: string, rubbish: boolean): unknown => {
  const def = schema.def as unknown as Def;
  const inner = def.innerType ?? def.in;
  if (def.type === 'object')
    return Object.fromEntries([
      ...Object.entries(def.shape ?? {}).map(([key, field]) => [
        key,
        valueFor(field, `${where}.${key}`, rubbish),
      ]),
      ['unheardOf', keep(`${where}.unheardOf`, `canary${random()}`)],
    ]);
  if (def.type === 'array') return def.element ? [valueFor(def.element, where, rubbish)] : [];
  if (def.type === 'unknown') return valueFor(BatchPuffInput, where, rubbish);
  if (def.type === 'union' && def.options?.[0]) return valueFor(def.options[0], where, rubbish);
  if (inner) return valueFor(inner, where, rubbish);
  if (rubbish) return keep(where, `canary${random()}`);
  if (def.type === 'enum') return Object.values(def.entries ?? {})[0];
  if (def.type === 'boolean') return true;
  if (def.type !== 'string') return 1;
  const value =
    forms.map((form) => form()).find((text) => schema.safeParse(text).success) ?? `canary${random()}`;
  return isTelling(value) ? keep(where, value) : value;
};

describe('what people send is in no log line and no metric (LOG-1)', () => {
  let app: TestApp;
  let lines: string[];
  let sockets: Socket[];

  /** Names, addresses and tokens travel in headers too. */
  const headersOf = (where: string) => ({
    cookie: `session=${keep(`${where} cookie`, `canary${random()}`)}`,
    'user-agent': keep(`${where} user-agent`, `canary${random()}`),
    referer: `https://app.example.com/${keep(`${where} referer`, `canary${random()}`)}`,
    'x-forwarded-for': keep('address', '203.0.113.201'),
  });
  const send = (spec: EndpointSpec, where: string, rubbish: boolean, token: string | undefined) => {
    const path = spec.path.replace(/:(\w+)/g, (_match, name: string) => {
      const field = spec.params?.shape[name] as z.ZodType | undefined;
      return field ? String(valueFor(field, `${where} :${name}`, rubbish)) : 'x';
    });
    const query = spec.query
      ? (valueFor(spec.query, `${where} query`, rubbish) as Record<string, string>)
      : {};
    return fetch(`${app.url}${path}?${new URLSearchParams(query).toString()}`, {
      method: spec.method,
      headers: {
        ...headersOf(where),
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(spec.body && { body: JSON.stringify(valueFor(spec.body, where, rubbish)) }),
    });
  };
  const post = async (path: string, body: object, token?: string) => {
    const answer = await fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: {
        ...headersOf(path),
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    return (await answer.json().catch(() => ({}))) as Record<string, string>;
  };

  /** The way of a phone, with everything that it shows kept in mind. */
  const signIn = async (person: string, consenting = true) => {
    const { nonce = '' } = await post('/auth/apple/nonce', {});
    const sheet = await app.apple.authorize({
      person,
      clientId: testClientId,
      nonce: sha256Hex(keep(`${person} nonce`, nonce)),
      email: keep(`${person} email`, `canary${random()}@example.com`),
    });
    const versions = await app.client().call('getLegalVersions');
    const session = await post('/auth/apple', {
      identityToken: keep(`${person} identityToken`, sheet.identityToken),
      nonce,
      authorizationCode: keep(`${person} code`, sheet.authorizationCode),
      user: {
        name: {
          firstName: keep(`${person} first name`, `Canary${random()}`),
          lastName: keep(`${person} last name`, `Canary${random()}`),
        },
      },
      device: {
        id: keep(`${person} device id`, `canary${random()}`),
        name: keep(`${person} device`, `canary${random()}`),
        model: keep(`${person} model`, `canary${random()}`),
      },
      deviceCheckToken: keep(`${person} deviceCheckToken`, randomBytes(30).toString('base64')),
      ageBand: '18+',
      timeZone: 'Europe/Berlin',
      consents: Object.entries(consenting ? versions : {}).map(([purpose, version]) => ({
        purpose,
        version,
      })),
    });
    keep(`${person} sub`, sheet.user);
    const { id, friendCode } = session['user'] as unknown as { id: string; friendCode: string };
    keep(`${person} id`, id);
    keep(`${person} friendCode`, friendCode);
    return {
      access: keep(`${person} access token ${random()}`, session['accessToken'] ?? ''),
      refresh: keep(`${person} refresh token ${random()}`, session['refreshToken'] ?? ''),
      friendCode,
    };
  };
  const refresh = async (refreshToken: string) => {
    const session = await post('/auth/refresh', { refreshToken });
    return keep(`refresh token ${random()}`, session['refreshToken'] ?? 'none');
  };
  const connect = (auth: object, headers: Record<string, string>) => {
    const socket = io(app.url, {
      auth,
      extraHeaders: headers,
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    sockets.push(socket);
    return new Promise<Socket>((resolve) => {
      socket.once('ready', () => {
        resolve(socket);
      });
      socket.once('connect_error', () => {
        resolve(socket);
      });
    });
  };

  beforeAll(async () => {
    [lines, sockets] = [[], []];
    app = await startTestApp({
      log: createLogger({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } }),
      edge: { trustedHops: 1 },
      deviceCheckMode: 'monitor',
    });
    const alice = await signIn('alice');
    const bob = await signIn('bob');

    // What ends the session goes last.
    const names = Object.entries<EndpointSpec>(endpoints).sort(
      ([one], [other]) => Number(one.startsWith('logout')) - Number(other.startsWith('logout')),
    );
    const forged = keep('forged token', `eyJhbGciOiJub25lIn0.${random(20)}.${random()}`);
    for (const [name, spec] of names)
      for (const rubbish of [false, true])
        for (const token of [undefined, forged, alice.access])
          await (await send(spec, `${name} ${token === undefined ? 'nobody' : ''}`, rubbish, token)).text();

    for (const token of [forged, bob.access]) {
      const socket = await connect({ token }, headersOf('socket'));
      // A refused socket sends nothing, so nothing is acknowledged.
      const ackWithinMs = socket.connected ? patienceMs : 1;
      for (const [event, schema] of Object.entries<z.ZodType>(clientEvents))
        for (const rubbish of [false, true])
          if (event !== 'authenticate')
            await socket
              .timeout(ackWithinMs)
              .emitWithAck(event, valueFor(schema, `socket ${event}`, rubbish))
              .catch(() => undefined);
      await socket
        .timeout(ackWithinMs)
        .emitWithAck(keep('event', `canary${random()}`), {})
        .catch(() => undefined);
      await socket
        .timeout(ackWithinMs)
        .emitWithAck('authenticate', { token: keep('socket authenticate', `canary${random()}`) })
        .catch(() => undefined);
    }

    // A stolen refresh token, an Apple that is away, and tokens at places where nobody should put them.
    const carla = await signIn('carla');
    await refresh(await refresh(carla.refresh));
    await refresh(carla.refresh);
    await post('/friends/request', { friendCode: bob.friendCode }, bob.access);
    for (const name of ['token', 'access_token'])
      await fetch(`${app.url}/users/me?${name}=${keep(`?${name}`, `canary${random()}`)}`);
    for (const token of [
      alice.access,
      carla.refresh,
      encodeURIComponent(alice.access.replaceAll('.', '%2e')),
    ])
      for (const address of [`/users/me?jwt=${token}`, `/puffs/${token}`, `/nowhere/${token}?x=${token}`])
        await fetch(`${app.url}${address}`, { headers: { authorization: `Bearer ${alice.access}` } });
    app.apple.setOutage('error');
    await signIn('dora');
    app.apple.setOutage('none');
    await post('/puffs', {}, (await signIn('erin', false)).access);
    await post('/auth/logout', { refreshToken: bob.refresh });
    await app.jobs.run('reconcile');
    await app.drain();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await app.close();
  });

  const leaksIn = (text: string) => {
    const low = text.toLowerCase();
    return [...canaries].filter(([value]) => low.includes(value.toLowerCase())).map(([, where]) => where);
  };

  it('canaries were everywhere, and the log was not silent', () => {
    expect(canaries.size).toBeGreaterThan(500);
    expect(
      [...canaries].filter(([value]) => value.startsWith('2026-10-21T08:')).map(([, where]) => where),
    ).toContain('recordPuff .timestamp');
    const events = new Set(lines.map((line) => (JSON.parse(line) as { event?: string }).event));
    for (const event of [
      'auth.sign_in',
      'auth.sign_in_refused',
      'auth.refused',
      'auth.refreshed',
      'auth.refresh_reuse',
      'auth.logout',
      'access.denied',
      'access.not_found',
      'users.account_deleted',
      'auth.device_checked',
      'auth.device_check_unavailable',
      'auth.apple_code_not_redeemed',
    ])
      expect([...events]).toContain(event);
  });

  it('no log line has one', () => {
    expect(leaksIn(lines.join(''))).toEqual([]);
  });

  it('no metric has one', async () => {
    expect(leaksIn(await (await fetch(`${app.url}/metrics`)).text())).toEqual([]);
  });

  it('people stand in the log by a reference, and addresses by their network', () => {
    const signedIn = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => event === 'auth.sign_in');
    expect(signedIn.length).toBeGreaterThanOrEqual(4);
    for (const line of signedIn) {
      expect(line).toMatchObject({ userRef: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown });
      expect(line).toMatchObject({ network: '203.0.113.0/24', requestId: expect.any(String) as unknown });
    }
  });
});
