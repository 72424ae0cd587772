import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '../telemetry/logger.ts';
import { warnOfUntrustedProxy } from './forwarded-warning.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const start = async (trustedHops: number, takesUpgrades = false) => {
  const warnings: unknown[] = [];
  const log = { warn: ({ event }: { event: unknown }) => warnings.push(event) } as unknown as Logger;
  const server = createServer((_req, res) => res.end('request'));
  if (takesUpgrades) server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 400 No\r\n\r\n'));
  warnOfUntrustedProxy(server, { trustedHops, log });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const call = async (headers: Record<string, string>) => {
    const req = request({ port, host: '127.0.0.1', headers }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    return res.resume().statusCode;
  };
  return { warnings, call };
};
const forwarded = { 'x-forwarded-for': '203.0.113.7' };
const upgrade = { connection: 'upgrade', upgrade: 'websocket' };

describe('X-Forwarded-For while no proxy is trusted', () => {
  it('is warned of once', async () => {
    const { warnings, call } = await start(0);
    await call({});
    expect(warnings).toEqual([]);
    for (let calls = 0; calls < 3; calls += 1) expect(await call(forwarded)).toBe(200);
    expect(warnings).toEqual(['http.untrusted_proxy']);
  });

  it('is warned of once where sockets bring it', async () => {
    const { warnings, call } = await start(0, true);
    for (let calls = 0; calls < 2; calls += 1) expect(await call({ ...forwarded, ...upgrade })).toBe(400);
    await call(forwarded);
    expect(warnings).toEqual(['http.untrusted_proxy']);
  });

  it('leaves upgrades to a server without sockets as they are', async () => {
    const { call } = await start(0);
    expect(await call(upgrade)).toBe(200);
  });

  it('is as it should be behind a trusted proxy', async () => {
    const { warnings, call } = await start(1);
    await call(forwarded);
    expect(warnings).toEqual([]);
  });
});
