import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { eventually, inTime } from '@pufftrack/testkit/eventually';
import { createMetrics } from '../telemetry/metrics.ts';
import { defaultConnectionLimits, guardConnections } from './connections.ts';
import { answerProtocolErrors } from './protocol-errors.ts';

describe('a connection with several protocol errors', () => {
  let server: Server;
  let client: Socket;
  let held: ServerResponse[];
  let counted: number[];
  let errors: number;
  let text: string;

  beforeEach(async () => {
    held = [];
    counted = [];
    errors = 0;
    text = '';
    server = createServer((req, res) => {
      connections.began({ req, res });
      held.push(res);
    });
    const connections = guardConnections(server, {
      limits: { ...defaultConnectionLimits, checkEveryMs: 2 ** 30 },
      hasSockets: false,
      trustedHops: 0,
      metrics: createMetrics(),
    });
    server.on('clientError', () => (errors += 1));
    answerProtocolErrors(server, {
      connections,
      hasSockets: false,
      listener: () => undefined,
      refuse: (_req, res) => {
        res.statusCode = 400;
        res.end('refused');
      },
      counted: (status) => void counted.push(status),
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
    client.on('data', (chunk: string) => (text += chunk));
    await once(client, 'connect');
  });
  afterEach(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });

  const answers = () => text.match(/HTTP\/1\.1 \d+/g) ?? [];

  it('is answered once, after the answer of the request before them', async () => {
    const closed = once(client, 'close');
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('the request is handled', () => held.length === 1);
    for (let sent = 1; sent <= 3; sent += 1) {
      client.write('nonsense\r\n\r\n');
      await eventually('the error is seen', () => errors >= sent);
    }
    held[0]?.end('done');
    await inTime('the connection closes', closed);
    expect(answers()).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(counted).toEqual([400]);
  });

  it('is answered whole where they come before the answer is sent', async () => {
    const closed = once(client, 'close');
    server.once('clientError', (_error, socket) => {
      // What Node does for each further chunk.
      for (let again = 0; again < 3; again += 1) server.emit('clientError', new Error('again'), socket);
    });
    client.write('nonsense\r\n\r\n');
    await inTime('the connection closes', closed);
    expect(answers()).toEqual(['HTTP/1.1 400']);
    expect(text).toContain('"code":"malformed"');
    expect(counted).toEqual([400]);
  });

  it('is refused once where they are in the body of a request', async () => {
    const closed = once(client, 'close');
    client.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
    await eventually('the error is seen', () => errors >= 1);
    client.write('zz\r\n');
    await inTime('the connection closes', closed);
    expect(answers()).toEqual(['HTTP/1.1 400']);
  });
});
