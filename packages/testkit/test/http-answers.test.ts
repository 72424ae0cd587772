import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { targetNames } from '@pufftrack/server';
import { startTestApp, type TestApp } from '../src/index.ts';

interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const wsKey = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

describe('every answer over HTTP', () => {
  let app: TestApp;
  beforeAll(async () => {
    // One process: what Node itself refuses never reaches a server behind a proxy.
    app = await startTestApp({ targets: targetNames, edge: { corsOrigins: ['https://app.example.com'] } });
  });
  afterAll(() => app.close());

  /** Sends bytes and reads until the server closes the connection. */
  const send = (bytes: string): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(app.url).port), '127.0.0.1').setEncoding('latin1');
      let text = '';
      socket.on('data', (chunk: string) => (text += chunk));
      socket.on('error', reject);
      socket.on('close', () => {
        resolve(parse(text));
      });
      socket.write(bytes);
    });

  const close = 'Host: x\r\nConnection: close\r\n';

  const problems: Record<string, [request: string, status: number, code: string]> = {
    'a request line that is none': ['nonsense\r\n\r\n', 400, 'malformed'],
    'an unknown method': [`BREW / HTTP/1.1\r\n${close}\r\n`, 400, 'malformed'],
    'a header without a name': [`GET / HTTP/1.1\r\n${close}: x\r\n\r\n`, 400, 'malformed'],
    'a header with a control character': [`GET / HTTP/1.1\r\n${close}A: \x00\r\n\r\n`, 400, 'malformed'],
    'two lengths': [
      `POST /puffs HTTP/1.1\r\n${close}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      400,
      'malformed',
    ],
    'a length and chunks': [
      `POST /puffs HTTP/1.1\r\n${close}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'malformed',
    ],
    'no Host': ['GET /config HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed'],
    'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed'],
    'a TLS handshake': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'malformed'],
    'a chunk without a size': [
      `POST /auth/refresh HTTP/1.1\r\n${close}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      'malformed',
    ],
    'headers that are too long': [
      `GET / HTTP/1.1\r\n${close}A: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    'a URL that is too long': [
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${close}\r\n`,
      431,
      'headers-too-large',
    ],
    'an expectation': [`GET /config HTTP/1.1\r\n${close}Expect: miracles\r\n\r\n`, 417, 'expectation-failed'],
    CONNECT: ['CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', 405, 'method-not-allowed'],
    TRACE: [`TRACE /users/me HTTP/1.1\r\n${close}\r\n`, 405, 'method-not-allowed'],
    'OPTIONS without CORS': [`OPTIONS /users/me HTTP/1.1\r\n${close}\r\n`, 405, 'method-not-allowed'],
    'OPTIONS *': [`OPTIONS * HTTP/1.1\r\n${close}\r\n`, 404, 'not-found'],
    'an unknown path': [`GET /nowhere HTTP/1.1\r\n${close}\r\n`, 404, 'not-found'],
    'a path that does not decode': [`GET /friends/%zz HTTP/1.1\r\n${close}\r\n`, 400, 'malformed'],
    'a file that /docs does not have': [`GET /docs/nothing.js HTTP/1.1\r\n${close}\r\n`, 404, 'not-found'],
    'package.json under /docs': [`GET /docs/package.json HTTP/1.1\r\n${close}\r\n`, 404, 'not-found'],
    'a POST of /docs': [
      `POST /docs/ HTTP/1.1\r\n${close}Content-Length: 0\r\n\r\n`,
      405,
      'method-not-allowed',
    ],
    'an upgrade of an unknown path': [
      `GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${wsKey}\r\n`,
      404,
      'not-found',
    ],
    'an upgrade of an endpoint': [
      `GET /users/me HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${wsKey}\r\n`,
      401,
      'unauthenticated',
    ],
    'an upgrade with a body': [
      'POST /puffs HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}',
      400,
      'malformed',
    ],
  };

  it.each(Object.entries(problems))('%s: a problem with its request id', async (_name, expected) => {
    const [request, status, code] = expected;
    const answer = await send(request);
    expect(answer).toMatchObject({ status });
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    const problem = JSON.parse(answer.body) as Record<string, unknown>;
    const requestId = answer.headers['x-request-id'];
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(problem).toMatchObject({ status, code, requestId, instance: `urn:uuid:${requestId}` });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  const others: Record<string, [request: string, status: number]> = {
    'a preflight of an allowed origin': [
      `OPTIONS /puffs HTTP/1.1\r\n${close}Origin: https://app.example.com\r\nAccess-Control-Request-Method: POST\r\n\r\n`,
      204,
    ],
    'a preflight of another origin': [
      `OPTIONS /puffs HTTP/1.1\r\n${close}Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n`,
      204,
    ],
    'the page of /docs': [`GET /docs/ HTTP/1.1\r\n${close}\r\n`, 200],
    'a file of /docs': [`GET /docs/swagger-ui.css HTTP/1.1\r\n${close}\r\n`, 200],
    'the redirect to /docs/': [`GET /docs HTTP/1.1\r\n${close}\r\n`, 301],
    '/openapi.json': [`GET /openapi.json HTTP/1.1\r\n${close}\r\n`, 200],
    HEAD: [`HEAD /config HTTP/1.1\r\n${close}\r\n`, 200],
    'HEAD of nothing': [`HEAD /nowhere HTTP/1.1\r\n${close}\r\n`, 404],
    'an offer of HTTP/2, which is ignored': [
      'GET /config HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
      200,
    ],
    'HTTP/1.0 without Host': ['GET /config HTTP/1.0\r\n\r\n', 200],
  };

  it.each(Object.entries(others))('%s: has a request id', async (_name, [request, status]) => {
    const answer = await send(request);
    expect(answer.status).toBe(status);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('comes before the refusal of what was sent after its request', async () => {
    const answer = await send('GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n');
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('HTTP/1.1 400 Bad Request');
  });
});

const parse = (text: string): RawAnswer => {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(line.split(' ')[1]), headers, body: rest.join('\r\n\r\n') };
};
