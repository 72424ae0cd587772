import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { endpoints, type EndpointSpec } from '@pufftrack/contract';
import { io } from 'socket.io-client';
import type { z } from 'zod';
import { startTestApp, type Person, type TestApp } from '../src/index.ts';

describe('bad input', () => {
  let app: TestApp;
  let alice: Person;

  beforeAll(async () => {
    app = await startTestApp();
    alice = await app.person('alice');
  });
  afterAll(async () => {
    const { revision } = await alice.client.call('getStats');
    await app.close();
    if (revision !== 0) throw new Error('something of the bad input was stored');
  });

  const send = (method: string, path: string, body?: string | object, headers: Record<string, string> = {}) =>
    fetch(`${app.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${alice.client.accessToken() ?? ''}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });

  const expectProblem = async (answer: Response, status: number, code: string) => {
    const problem: unknown = await answer.json();
    expect(problem).toMatchObject({ status, code, title: expect.any(String) });
    expect(problem).toHaveProperty('requestId', answer.headers.get('x-request-id'));
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    return problem;
  };

  const addressOf = ({ path }: EndpointSpec) =>
    path.replace(':userId', 'x').replace(':id', randomUUID()).replace(':token', 'ab'.repeat(32));

  const puffs = (count: number) =>
    Array.from({ length: count }, () => ({ id: randomUUID(), timestamp: '2026-10-21T09:00:00Z' }));

  /** A request whose body is still to be sent; `answer` is the first line of the next response. */
  const postRaw = (length: string) => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1').setEncoding('latin1');
    socket.write(
      `POST /puffs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${alice.client.accessToken() ?? ''}\r\n` +
        `Content-Type: application/json\r\n${length}\r\n\r\n`,
    );
    const answer = () =>
      new Promise<string>((resolve, reject) => {
        const read = (text: string) => {
          const line = /^HTTP[^\r]*/m.exec(text)?.[0];
          if (line === undefined) return;
          socket.off('data', read);
          resolve(line);
        };
        socket.on('data', read);
        socket.once('error', reject);
        socket.once('close', () => {
          reject(new Error('the connection was closed'));
        });
      });
    return { socket, answer };
  };

  it.each<[string, string, string | object, number, string]>([
    ['malformed JSON', '/puffs', '{"quantity":', 400, 'malformed'],
    ['an array', '/puffs', '[]', 400, 'malformed'],
    ['a bare string', '/puffs', '"puff"', 400, 'malformed'],
    ['a wrong type', '/puffs', { quantity: 'two' }, 422, 'invalid'],
    ['a fraction', '/puffs', { quantity: 1.5 }, 422, 'invalid'],
    ['too much', '/puffs', { quantity: 51 }, 422, 'invalid'],
    ['no UUID', '/puffs', { id: 'puff-1' }, 422, 'invalid'],
    ['no instant', '/puffs', { timestamp: 'yesterday' }, 422, 'invalid'],
    ['an instant without offset', '/puffs', { timestamp: '2026-10-21T09:00:00' }, 422, 'invalid'],
    ['control characters', '/puffs', { trigger: 'a\u0000b' }, 422, 'invalid'],
    ['half a character', '/puffs', { trigger: 'a\ud800b' }, 422, 'invalid'],
    ['an operator', '/puffs', { trigger: { $ne: null } }, 400, 'forbidden-key'],
    ['a prototype', '/puffs', '{"__proto__":{"quantity":3}}', 400, 'forbidden-key'],
    ['a dotted key', '/puffs', { 'puff.quantity': 3 }, 400, 'forbidden-key'],
    ['1,001 puffs', '/puffs/batch', { puffs: puffs(1001) }, 422, 'invalid'],
    ['no puffs', '/puffs/batch', { puffs: [] }, 422, 'invalid'],
    ['puffs that are no list', '/puffs/batch', { puffs: 'many' }, 422, 'invalid'],
    ['a 600 KB batch', '/puffs/batch', { puffs: [], note: 'x'.repeat(600_000) }, 413, 'payload-too-large'],
    ['a 65 KB puff', '/puffs', { trigger: 'x'.repeat(65_000) }, 422, 'invalid'],
    ['a 70 KB puff', '/puffs', { trigger: 'x'.repeat(70_000) }, 413, 'payload-too-large'],
    ['a puff in the future', '/puffs', { timestamp: '2026-10-21T10:05:01Z' }, 422, 'timestamp-in-future'],
    ['a puff of long ago', '/puffs', { timestamp: '2016-10-21T09:59:59Z' }, 422, 'too-old'],
  ])('rejects %s', async (_what, path, body, status, code) => {
    await expectProblem(await send('POST', path, body), status, code);
  });

  it('names the invalid field', async () => {
    const problem = await expectProblem(await send('POST', '/puffs', { quantity: 0 }), 422, 'invalid');
    expect(problem).toMatchObject({ errors: [{ path: 'quantity', message: expect.any(String) }] });
  });

  it('rejects a body whose content type is not JSON', async () => {
    await expectProblem(
      await send('POST', '/puffs', 'quantity=3', { 'content-type': 'text/plain' }),
      415,
      'unsupported-media-type',
    );
  });

  it('rejects a body without an end', async () => {
    const { socket, answer } = postRaw('Transfer-Encoding: chunked');
    const chunk = 'x'.repeat(40_000);
    for (let sent = 0; sent < 30; sent++) socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    expect(await answer()).toContain(' 413 ');
    socket.destroy();
  });

  it('reads a body that is too long to its end, so that a client is not cut off while sending', async () => {
    const { socket, answer } = postRaw('Content-Length: 900000');
    socket.write('x'.repeat(900_000));
    expect(await answer()).toContain(' 413 ');
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await answer()).toContain(' 200 ');
    socket.destroy();
  });

  it.each([
    ['no token', {}, 'unauthenticated'],
    ['another scheme', { authorization: 'Basic YTpi' }, 'unauthenticated'],
    ['a forged token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.' }, 'invalid-token'],
    ['rubbish', { authorization: 'Bearer rubbish' }, 'invalid-token'],
  ])('rejects %s on every endpoint that requires a token', async (_what, headers, code) => {
    for (const spec of Object.values<EndpointSpec>(endpoints).filter(({ auth }) => auth === 'user')) {
      const answer = await fetch(`${app.url}${addressOf(spec)}`, {
        method: spec.method,
        headers,
      });
      await expectProblem(answer, 401, code);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it('rejects a token in the URL', async () => {
    const token = alice.client.accessToken() ?? '';
    const names = ['token', 'access_token', 'accessToken', 'refresh_token', 'id_token', '%74oken'];
    for (const path of ['/users/me', '/health/live', '/nowhere', '/docs/', '/metrics'])
      for (const name of names)
        await expectProblem(await send('GET', `${path}?${name}=${token}`), 401, 'unauthenticated');
    await expectProblem(await send('POST', `/puffs?accessToken=${token}`, {}), 401, 'unauthenticated');
  });

  it('rejects a token in the URL by its form: as any value, in the path, encoded, on any path', async () => {
    const { refreshToken } = await alice.client.refresh();
    for (const token of [alice.client.accessToken() ?? '', refreshToken])
      for (const written of [token, token.replaceAll('.', '%2E'), token.replaceAll('.', '%252e')])
        for (const address of [
          `/users/me?jwt=${written}`,
          `/users/me?X=${written}`,
          `/nowhere?a=b&${written}`,
          `/docs/?session=${written}`,
          `/health/live?q=${written}`,
          `/openapi.json?q=${written}`,
          `/puffs/${written}`,
          `/${written}`,
        ])
          await expectProblem(await send('GET', address), 401, 'unauthenticated');
  });

  it('rejects a socket whose handshake has a token in its URL, under any name', async () => {
    const token = alice.client.accessToken() ?? '';
    for (const query of [{ token }, { jwt: token }, { x: `Bearer ${token}` }]) {
      const socket = io(app.url, {
        auth: { token },
        query,
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
      });
      const outcome = await new Promise((resolve) => {
        socket.once('ready', () => {
          resolve('ready');
        });
        socket.once('connect_error', () => {
          resolve('refused');
        });
      });
      socket.disconnect();
      expect(outcome).toBe('refused');
    }
  });

  it('rejects a repeated parameter and names it', async () => {
    for (const path of ['/puffs?limit=1&limit=2', '/puffs/changes?since=0&limit=1&since=0']) {
      const problem = await expectProblem(await send('GET', path), 422, 'invalid');
      const name = path.includes('since') ? 'since' : 'limit';
      expect(problem).toMatchObject({ errors: [{ path: name, message: 'must be given once' }] });
    }
    expect((await send('GET', '/puffs?other=1&other=2&limit=1')).status).toBe(200);
  });

  it.each([
    ['Latin 1', 'application/json; charset=iso-8859-1', Buffer.from('{}'), 415, 'unsupported-media-type'],
    ['UTF-16', 'application/json;charset="UTF-16"', Buffer.from('{}'), 415, 'unsupported-media-type'],
    [
      'bytes that are not UTF-8',
      'application/json',
      Buffer.from('7b2274223a22ff227d', 'hex'),
      400,
      'malformed',
    ],
    ['half a character', 'application/json', Buffer.from('7b2274223a22c3227d', 'hex'), 400, 'malformed'],
  ])('rejects a body in %s', async (_what, type, body, status, code) => {
    for (const [method, path] of [
      ['POST', '/puffs'],
      ['PATCH', '/users/me'],
    ] as const) {
      const answer = await fetch(`${app.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${alice.client.accessToken() ?? ''}`, 'content-type': type },
        body,
      });
      await expectProblem(answer, status, code);
    }
  });

  it('accepts a body with an explicit charset of UTF-8', async () => {
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"']) {
      const type = { 'content-type': `application/json; charset=${charset}` };
      expect((await send('PATCH', '/users/me', { locale: 'de-AT' }, type)).status).toBe(200);
    }
  });

  it.each<[string, string, string, object | undefined, string]>([
    ['an instant', 'POST', '/puffs', { timestamp: 'yesterday' }, '2026-10-21T10:00:00Z'],
    ['an instant', 'GET', '/puffs?from=2026-10-21T10:00:00', undefined, 'ISO 8601 instant with offset'],
    ['a day', 'GET', '/users/stats/days?from=2026-02-30&to=2026-03-01', undefined, '2026-10-21'],
    ['a zone', 'PATCH', '/users/me', { timeZone: 'Europe/Atlantis' }, 'Europe/Berlin'],
  ])('says what a valid %s would be: %s %s', async (_what, method, path, body, hint) => {
    const problem = await expectProblem(await send(method, path, body), 422, 'invalid');
    expect(JSON.stringify(problem)).toContain(hint);
  });

  /** Every path in a body where the contract accepts a string. */
  const stringPaths = (schema: z.ZodType, path: string[] = []): string[][] => {
    const { def } = schema as { def: z.core.$ZodTypeDef };
    if (def.type === 'object') {
      const shape = (def as z.core.$ZodObjectDef).shape as Record<string, z.ZodType>;
      return Object.entries(shape).flatMap(([key, inner]) => stringPaths(inner, [...path, key]));
    }
    if (def.type === 'array')
      return stringPaths((def as z.core.$ZodArrayDef).element as z.ZodType, [...path, '0']);
    const inner =
      (def as { innerType?: z.ZodType; in?: z.ZodType }).innerType ?? (def as { in?: z.ZodType }).in;
    if (inner) return stringPaths(inner, path);
    return ['string', 'enum'].includes(def.type) ? [path] : [];
  };

  const nested = (path: string[], value: unknown): unknown => {
    const [key, ...rest] = path;
    if (key === undefined) return value;
    return key === '0' ? [nested(rest, value)] : { [key]: nested(rest, value) };
  };

  const bodies = Object.entries<EndpointSpec>(endpoints).flatMap(([name, spec]) =>
    spec.body ? stringPaths(spec.body).map((path) => [name, path.join('.'), spec] as const) : [],
  );

  it.each(bodies)('rejects an operator in place of a string: %s %s', async (_name, path, spec) => {
    const body = nested(path.split('.'), { $ne: null }) as object;
    await expectProblem(await send(spec.method, addressOf(spec), body), 400, 'forbidden-key');
  });

  const withoutBody = Object.entries<EndpointSpec>(endpoints).filter(
    ([, { method, body }]) => method !== 'GET' && !body,
  );

  it.each(withoutBody)(
    'applies the checks of bodies to a body that the endpoint does not use: %s',
    async (_name, spec) => {
      const address = addressOf(spec);
      await expectProblem(await send(spec.method, address, { a: [{ $ne: 1 }] }), 400, 'forbidden-key');
      await expectProblem(await send(spec.method, address, '[]'), 400, 'malformed');
      await expectProblem(
        await send(spec.method, address, { a: 'x'.repeat(70_000) }),
        413,
        'payload-too-large',
      );
    },
  );

  it.each(bodies)('rejects a number and an object in place of a string: %s %s', async (_name, path, spec) => {
    for (const value of [7, { a: 1 }, ['a']]) {
      const body = nested(path.split('.'), value) as object;
      await expectProblem(await send(spec.method, addressOf(spec), body), 422, 'invalid');
    }
  });

  it.each([
    ['/puffs?limit=0', 422, 'invalid'],
    ['/puffs?limit=501', 422, 'invalid'],
    ['/puffs?limit=ten', 422, 'invalid'],
    ['/puffs?limit[$gt]=1', 200, undefined],
    ['/puffs?from=monday', 422, 'invalid'],
    ['/puffs?cursor=MTIz', 400, 'invalid-cursor'],
    ['/puffs?cursor=%00', 400, 'invalid-cursor'],
    ['/puffs?cursor=', 400, 'invalid-cursor'],
    ['/friends/leaderboard?board=worst', 422, 'invalid'],
    ['/nowhere', 404, 'not-found'],
    ['/friends/%E0%A4%A', 400, 'malformed'],
  ])('answers GET %s with %i', async (path, status, code) => {
    const answer = await send('GET', path);
    expect(answer.status).toBe(status);
    if (code !== undefined) await expectProblem(answer, status, code);
  });

  it('answers another method with 405 and the allowed ones', async () => {
    const answer = await send('DELETE', '/puffs/batch');
    expect(answer.headers.get('allow')).toBe('POST');
    await expectProblem(answer, 405, 'method-not-allowed');
  });

  it.each([
    ['a string', 'puff'],
    ['a number', 3],
    ['a list', []],
    ['an operator', { trigger: { $ne: null } }],
    ['a wrong type', { quantity: 'two' }],
    ['101 puffs', { puffs: puffs(101) }],
  ])('answers a socket puff that is %s with a problem', async (_what, payload) => {
    const socket = await alice.connect();
    await expect(socket.puff(payload as object)).rejects.toMatchObject({
      status: expect.any(Number),
      problem: { code: expect.stringMatching(/^(malformed|invalid|forbidden-key)$/) },
    });
    socket.close();
  });

  it('rejects a socket without a valid token, with a problem', async () => {
    for (const tokens of [null, { accessToken: 'rubbish', refreshToken: '', expiresAt: Infinity }]) {
      const nobody = app.client();
      await nobody.setTokens(tokens);
      const socket = nobody.connect();
      await expect(socket.connected).rejects.toMatchObject({ status: 401 });
      socket.close();
    }
  });
});
