import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { startHttpServer } from '../../../test/http-server.ts';

/** The real checks of Node and of the server, with short times: each case waits for the server to close. */
describe('headers that do not become whole', () => {
  let server: Awaited<ReturnType<typeof startHttpServer>>;
  beforeAll(async () => {
    // A whole request has longer than a busy machine needs for it; half ones wait as long.
    server = await startHttpServer({
      connectionLimits: { headersMs: 3_000, idleMs: 60_000, checkEveryMs: 100 },
    });
  });
  afterAll(() => {
    server.close();
  });

  const half = 'GET /config HTTP/1.1\r\nHost: x\r\nX-Half: ';
  const whole = 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n';

  /** Sends the parts, then `drip` again and again; resolves with all that came when the server has closed. */
  const send = async (parts: readonly string[], drip: string): Promise<string> => {
    const client = connect(server.port, '127.0.0.1').setEncoding('latin1');
    let text = '';
    client.on('data', (chunk: string) => (text += chunk));
    client.on('error', () => undefined);
    const closed = once(client, 'close');
    for (const part of parts) {
      client.write(part);
      if (part === whole) while (!text.includes('HTTP/1.1 404')) await once(client, 'data');
    }
    const timer = setInterval(() => {
      if (drip !== '') client.write(drip);
    }, 20);
    await closed;
    clearInterval(timer);
    return text;
  };

  const cases: readonly (readonly [what: string, parts: readonly string[], drip: string])[] = [
    ['that stop', [half], ''],
    ['that drip', [half], 'x'],
    ['that never begin', [], ''],
    ['of which only empty lines arrive', [], '\r\n'],
    ['of the second request, that stop', [whole, half], ''],
    ['of the second request, that drip', [whole, half], 'x'],
  ];
  let answers: Map<string, string>;
  let afterAnswer: string;
  // All at once: each waits for the server's limit.
  beforeAll(async () => {
    const [last, ...texts] = await Promise.all([
      send([whole], '\r\n'),
      ...cases.map(async ([what, parts, drip]) => [what, await send(parts, drip)] as const),
    ]);
    answers = new Map(texts);
    afterAnswer = last;
  });

  it.each(cases)('%s: 408, and the connection closes', (what) => {
    const text = answers.get(what) ?? '';
    const last = text.slice(text.lastIndexOf('HTTP/1.1'));
    expect(last).toMatch(/^HTTP\/1.1 408 Request Timeout/);
    expect(last).toContain('application/problem+json');
    expect(last).toMatch(/x-request-id: [0-9a-f-]{36}/i);
    expect(last).toContain('"code":"request-timeout"');
  });

  it('of which only empty lines arrive after an answer: the connection closes', () => {
    expect(afterAnswer).toMatch(/^HTTP\/1.1 404/);
  });
});
