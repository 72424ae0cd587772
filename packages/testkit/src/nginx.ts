import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { PathProxy } from './path-proxy.ts';

const deployed = resolve(import.meta.dirname, '../../../deploy/proxy');
const readyWithinMs = 10_000;

/** nginx as deploy/proxy has it, with these ports as its upstreams. It ends with this process. */
export const startNginx = async (ports: ReadonlyMap<string, readonly number[]>): Promise<PathProxy> => {
  const directory = await mkdtemp(join(tmpdir(), 'pufftrack-nginx-'));
  const port = await freePort();
  await cp(deployed, directory, { recursive: true });
  await writeFile(join(directory, 'test.conf'), configuration(ports, port));
  // Linux alone knows how to end a child with its parent; nginx itself does not notice.
  const nginx = spawn(
    'setpriv',
    ['--pdeathsig', 'TERM', 'nginx', '-p', directory, '-e', 'stderr', '-c', join(directory, 'test.conf')],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(nginx, 'close');
  const close = async () => {
    nginx.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  const deadline = performance.now() + readyWithinMs;
  while (!(await accepts(port))) {
    if (nginx.exitCode === null && performance.now() < deadline) continue;
    await close();
    throw new Error(`nginx did not start:\n${output}`);
  }
  return { url: `http://127.0.0.1:${port}`, close };
};

const configuration = (ports: ReadonlyMap<string, readonly number[]>, port: number): string =>
  [
    'daemon off;',
    // Long bodies go through files of this directory, which no other user may enter.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'worker_processes 1;',
    'pid nginx.pid;',
    'events { worker_connections 512; }',
    'http {',
    '  access_log off;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((part) => `  ${part}_temp_path tmp-${part};`),
    '  include maps.conf;',
    ...[...ports].map(
      ([target, own]) =>
        `  upstream ${target} { ${own.map((one) => `server 127.0.0.1:${one};`).join(' ')} keepalive 8; }`,
    ),
    `  server { listen 127.0.0.1:${port}; include locations.conf; }`,
    '}',
  ].join('\n');

const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean) => {
      socket.destroy();
      // The attempts are paced by the event loop.
      setTimeout(done, answer ? 0 : 20, answer);
    };
    socket.once('connect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
  });
