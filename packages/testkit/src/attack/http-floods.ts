import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { repeat, type Flood, type FloodTarget } from './flood.ts';

const maxHeld = 3_000;
const dripEveryMs = 1_000;

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const padded = (attempt: number, length: number) => String(attempt).padStart(length, '0');

/** The header of a token of this server, the id of no session, and a wrong signature. */
const forgedToken = ([token = '']: readonly string[], attempt: number): string => {
  const claims = { sub: padded(attempt, 26), sid: padded(attempt, 26), jti: padded(attempt, 26) };
  return `${token.split('.')[0] ?? ''}.${part(claims)}.${padded(attempt, 86)}`;
};

/** Another signature under claims of the attacker's own account, so that the session in them exists. */
const forgedOfOwn = ([token = '']: readonly string[], attempt: number): string =>
  `${token.slice(0, token.lastIndexOf('.'))}.${padded(attempt, 86)}`;

/** The same call again and again, each with the number of its attempt. */
const calls = (
  name: string,
  request: (target: FloodTarget, attempt: number) => [path: string, init?: RequestInit],
): Flood => ({
  name,
  run(target) {
    let attempt = 0;
    return repeat(target.signal, 20, async () => {
      const [path, init] = request(target, (attempt += 1));
      await (await fetch(`${target.url}${path}`, init)).arrayBuffer();
    });
  },
});

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** Connections that are opened until there are many, and each sends a byte now and then until the server closes it. */
const slow = (name: string, begin: string): Flood => ({
  name,
  async run({ url, signal }) {
    const held = new Set<Socket>();
    const { hostname, port } = new URL(url);
    const drip = setInterval(() => {
      for (const socket of held) socket.write('x');
    }, dripEveryMs);
    const attempts = await repeat(signal, 50, async () => {
      if (held.size >= maxHeld) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return;
      }
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.resume();
      socket.once('close', () => held.delete(socket));
      await once(socket, 'connect');
      held.add(socket);
      socket.write(begin);
    });
    clearInterval(drip);
    for (const socket of held) socket.destroy();
    return attempts;
  },
});

export const httpFloods: readonly Flood[] = [
  calls('garbage-bearer', () => ['/users/me', bearer('x')]),
  calls('forged-bearer', ({ tokens }, attempt) => ['/users/me', bearer(forgedToken(tokens, attempt))]),
  calls('forged-own-bearer', ({ tokens }, attempt) => ['/users/me', bearer(forgedOfOwn(tokens, attempt))]),
  calls('invented-refresh', (_target, attempt) => [
    '/auth/refresh',
    json({ refreshToken: `ptr_${padded(attempt, 26)}.1.${padded(attempt, 43)}` }),
  ]),
  calls('forged-sign-in', (_target, attempt) => [
    '/auth/apple',
    json({
      identityToken: `${part({ alg: 'RS256', kid: 'x' })}.${part({ sub: 'x' })}.${padded(attempt, 342)}`,
      nonce: 'x',
    }),
  ]),
  calls('nonces', () => ['/auth/apple/nonce', { method: 'POST' }]),
  calls('unknown-paths', (_target, attempt) => [`/nowhere/${attempt}`]),
  calls('wrong-methods', () => ['/users/me', { method: 'POST' }]),
  calls('unreadable-bodies', () => ['/auth/refresh', json('{'.repeat(60_000))]),
  calls('readiness', () => ['/health/ready']),
  slow('half-headers', 'GET /config HTTP/1.1\r\nHost: x\r\nX-Half: '),
  slow(
    'slow-bodies',
    'POST /auth/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"',
  ),
];
