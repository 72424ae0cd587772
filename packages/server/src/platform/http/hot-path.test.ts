import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { endpoint, type EndpointSpec } from '@pufftrack/contract';
import { inTime } from '@pufftrack/testkit/eventually';
import { z } from 'zod';
import { startHttpServer } from '../../../test/http-server.ts';
import { DomainError } from '../edge/errors.ts';
import { createOriginPolicy } from '../edge/origins.ts';
import { answer, route, type Route } from './route.ts';

const spec = endpoint({
  method: 'POST',
  path: '/items',
  tag: 'puffs',
  auth: 'user',
  summary: 'Keeps an item',
  body: z.strictObject({ name: z.string().max(10).optional() }),
  bodyOptional: true,
  bodyLimit: 200,
  responses: { 201: z.strictObject({ name: z.string() }) },
  problems: ['conflict'],
});

const routesOf = (declared: EndpointSpec): Route[] => {
  const post = route(spec, ({ input }) => {
    const { name = 'none' } = input.body;
    if (name === 'taken') throw new DomainError('conflict', { detail: 'The name is taken.' });
    if (name === 'bug') throw new Error('a bug');
    return Promise.resolve(answer(201, { name }));
  });
  return [{ ...post, spec: declared }];
};

const start = (declared: EndpointSpec) =>
  startHttpServer({
    routes: routesOf(declared),
    // 12 calls a minute of a person.
    rateScale: 0.02,
    minAppBuild: 5,
    isOriginAllowed: createOriginPolicy(['https://app.example.com'], 'http://pufftrack.test'),
    authenticate(token) {
      if (!token.startsWith('good')) throw new DomainError('invalid-token');
      return { userId: token, sessionId: 's', expiresAt: Infinity };
    },
  });

let hot: Awaited<ReturnType<typeof start>>;
let routed: typeof hot;
beforeAll(async () => {
  hot = await start({ ...spec, hot: true });
  routed = await start(spec);
});
afterAll(() => {
  hot.close();
  routed.close();
});

/** All that the server sends until it closes, without what differs from answer to answer. */
const answersTo = async ({ port }: { port: number }, bytes: string): Promise<string> => {
  const client = connect(port, '127.0.0.1').setEncoding('latin1');
  let text = '';
  client.on('data', (chunk: string) => (text += chunk));
  client.on('error', () => undefined);
  const closed = once(client, 'close');
  client.write(bytes, 'latin1');
  await inTime('the connection closes', closed);
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>')
    .replaceAll(/^Date: .*\r\n/gm, '')
    .split('\r\n\r\n')
    .map((head) => head.split('\r\n').sort().join('\r\n'))
    .join('\r\n\r\n');
};

const token = 'Authorization: Bearer good\r\n';
const json = 'Content-Type: application/json\r\n';
const request = (headers: string, body?: string, line = 'POST /items HTTP/1.1') =>
  `${line}\r\nHost: x\r\nConnection: close\r\n${headers}` +
  (body === undefined ? '\r\n' : `Content-Length: ${body.length}\r\n\r\n${body}`);
const post = (body: string, headers = '') => request(token + json + headers, body);
const withPath = (target: string) => request(token + json, '{"name":"a"}', `POST ${target} HTTP/1.1`);

describe('the fast path gives the answer of the router', () => {
  const table: Record<string, [bytes: string, status: number]> = {
    'to a body': [post('{"name":"a"}'), 201],
    'to a body in chunks': [
      request(`${token}${json}Transfer-Encoding: chunked\r\n`) + 'c\r\n{"name":"a"}\r\n0\r\n\r\n',
      201,
    ],
    'to no body': [request(token), 201],
    'to an empty body': [request(token + json, ''), 201],
    'to two calls on one connection': [
      `POST /items HTTP/1.1\r\nHost: x\r\n${token}Content-Length: 0\r\n\r\n${post('{"name":"b"}')}`,
      201,
    ],
    'of HTTP/1.0': [`POST /items HTTP/1.0\r\n${token}\r\n`, 201],
    'to a query': [withPath('/items?a=1'), 201],
    'to an empty query': [withPath('/items?'), 201],
    'to a slash at the end': [withPath('/items/'), 201],
    'to two slashes': [withPath('//items'), 404],
    'to capitals': [withPath('/ITEMS'), 201],
    'to an encoded path': [withPath('/%69tems'), 404],
    'to a path that does not decode': [withPath('/items%zz'), 404],
    'to a whole URL': [withPath('http://x/items'), 201],
    'to a value of a wrong type': [post('{"name":5}'), 422],
    'to an unknown field': [post('{"other":5}'), 422],
    'to broken JSON': [post('{"name"'), 400],
    'to a list': [post('[]'), 400],
    'to bytes that are no UTF-8': [post('{"name":"\xff"}'), 400],
    'to a forbidden key': [post('{"$set":1}'), 400],
    'to a body that is too large': [post(JSON.stringify({ name: 'x'.repeat(300) })), 413],
    'to another content type': [request(`${token}Content-Type: text/plain\r\n`, '{}'), 415],
    'to another charset': [request(`${token}Content-Type: application/json; charset=latin1\r\n`, '{}'), 415],
    'to a compressed body': [post('{}', 'Content-Encoding: gzip\r\n'), 415],
    'to no token': [request(json, '{}'), 401],
    'to a wrong token': [request(`Authorization: Bearer wrong\r\n${json}`, '{}'), 401],
    'to a token in the URL': [withPath('/items?token=x'), 401],
    'to a conflict': [post('{"name":"taken"}'), 409],
    'to a bug': [post('{"name":"bug"}'), 500],
    'to an old build': [post('{}', 'X-App-Build: 4\r\n'), 201],
    'to a page of an allowed origin': [post('{}', 'Origin: https://app.example.com\r\n'), 201],
    'to a page of another origin': [post('{}', 'Origin: https://evil.example\r\n'), 201],
    'to a preflight': [
      request(
        'Origin: https://app.example.com\r\nAccess-Control-Request-Method: POST\r\n',
        undefined,
        'OPTIONS /items HTTP/1.1',
      ),
      204,
    ],
    'to another method': [request(token, undefined, 'GET /items HTTP/1.1'), 405],
    'to an unknown expectation': [post('{}', 'Expect: miracles\r\n'), 417],
    'to an offer of HTTP/2': [
      `POST /items HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n${token}\r\n`,
      201,
    ],
    'to no Host': [`POST /items HTTP/1.1\r\nConnection: close\r\n${token}\r\n`, 400],
    'to two lengths': [request(`${token}Content-Length: 1\r\nContent-Length: 2\r\n`), 400],
  };

  it.each(Object.entries(table))('%s', async (name, [bytes, status]) => {
    // An account of its own, so that the calls of other cases do not count.
    const own = bytes.replaceAll('Bearer good', `Bearer good-${name.replaceAll(' ', '-')}`);
    const answers = await answersTo(hot, own);
    expect(answers).toBe(await answersTo(routed, own));
    expect(answers).toContain(`HTTP/1.1 ${status} `);
  });

  it('to calls beyond the rate limit', async () => {
    const statuses = async (server: typeof hot) => {
      const all: string[] = [];
      for (let call = 0; call < 14; call += 1) all.push(await answersTo(server, post('{}')));
      return all;
    };
    const [fast, slow] = [await statuses(hot), await statuses(routed)];
    expect(fast).toEqual(slow);
    expect(fast.map((text) => /HTTP\/1\.1 (\d+)/.exec(text)?.[1])).toEqual([
      ...Array<string>(12).fill('201'),
      '429',
      '429',
    ]);
  });
});

describe('a server does not start', () => {
  it.each<[what: string, declared: Partial<EndpointSpec>]>([
    ['parameters', { path: '/items/:id' }],
    ['a query', { query: z.object({}) }],
  ])('with a hot endpoint that takes %s', async (_what, declared) => {
    await expect(start({ ...spec, hot: true, ...declared })).rejects.toThrow('is declared hot');
  });
});
