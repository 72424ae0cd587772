import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { AuthorizationRequest, type Authorizations } from './authorizations.ts';
import { createBarrier, type Barrier } from './barrier.ts';
import type { Devices } from './devices.ts';
import { isClientSecret, type ClientSecretRules } from './client-secret.ts';
import type { SigningKeys } from './signing-keys.ts';

/** `refuse` resets every connection, `error` answers 500 in HTML. */
export type Outage = 'none' | 'refuse' | 'error';

export interface SimulatorHttp {
  baseUrl: string;
  keyFetches(): number;
  setOutage(outage: Outage): void;
  barrier: Barrier;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  /** Absent, and no text: an empty body. */
  json?: object;
  text?: string;
}

const maxBodyBytes = 64 * 1024;

const badRequest = (error: string, description?: string): Answer => ({
  status: 400,
  json: { error, ...(description !== undefined && { error_description: description }) },
});

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  return size > maxBodyBytes ? '' : Buffer.concat(chunks).toString('utf8');
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Apple reads only forms and treats any other content type as an empty form, hence `invalid_client`. */
const readForm = async (request: IncomingMessage): Promise<(field: string) => string> => {
  const text = await readBody(request);
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  const form = new URLSearchParams(isForm ? text : '');
  return (field) => form.get(field) ?? '';
};

const send = (response: ServerResponse, { status, json, text }: Answer): void => {
  if (text !== undefined) response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  else if (json === undefined) response.writeHead(status, { 'content-length': 0 }).end();
  else
    response
      .writeHead(status, { 'content-type': 'application/json;charset=UTF-8' })
      .end(JSON.stringify(json));
};

/** The five endpoints on one port, with outages and held requests. */
export const listenHttp = async (simulator: {
  host: string;
  port: number;
  keys: SigningKeys;
  authorizations: Authorizations;
  devices: Devices;
  clientSecret: ClientSecretRules;
  now: () => number;
}): Promise<SimulatorHttp> => {
  const { host, port, keys, authorizations, devices, clientSecret, now } = simulator;
  let outage: Outage = 'none';
  let keyFetches = 0;
  const barrier = createBarrier();

  const token = async (request: IncomingMessage): Promise<Answer> => {
    const field = await readForm(request);
    const clientId = field('client_id');
    if (!(await isClientSecret(field('client_secret'), clientId, clientSecret)))
      return badRequest('invalid_client');
    switch (field('grant_type')) {
      case 'authorization_code': {
        const tokens = await authorizations.redeemCode(field('code'), clientId);
        return tokens
          ? { status: 200, json: tokens }
          : badRequest('invalid_grant', 'The code has expired or has been revoked.');
      }
      case 'refresh_token': {
        const tokens = await authorizations.refresh(field('refresh_token'), clientId);
        return tokens
          ? { status: 200, json: tokens }
          : badRequest('invalid_grant', 'The token has expired or has been revoked.');
      }
      default:
        return badRequest('unsupported_grant_type');
    }
  };

  const revoke = async (request: IncomingMessage): Promise<Answer> => {
    const field = await readForm(request);
    const clientId = field('client_id');
    if (!(await isClientSecret(field('client_secret'), clientId, clientSecret)))
      return badRequest('invalid_client');
    if (field('token') === '') return badRequest('invalid_request');
    authorizations.revoke(field('token'), clientId);
    return { status: 200 };
  };

  const authorize = async (request: IncomingMessage): Promise<Answer> => {
    const parsed = AuthorizationRequest.safeParse(parseJson(await readBody(request)));
    if (parsed.success) return { status: 200, json: await authorizations.authorize(parsed.data) };
    const expected =
      'Send JSON {person, clientId, nonce, email?, name?: {firstName?, lastName?}, emailClaims?}.';
    return {
      status: 422,
      json: { error: 'invalid', message: `${expected}\n${z.prettifyError(parsed.error)}` },
    };
  };

  const routes: Record<string, (request: IncomingMessage) => Promise<Answer> | Answer> = {
    'GET /auth/keys': () => ({ status: 200, json: keys.jwks() }),
    'POST /auth/token': token,
    'POST /auth/revoke': revoke,
    // Apple ignores the content type here.
    'POST /v1/query_two_bits': async (request) =>
      devices.query(request.headers.authorization, parseJson(await readBody(request))),
    'POST /simulator/authorize': authorize,
  };

  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const route = `${request.method ?? ''} ${path}`;
    if (route === 'GET /auth/keys') keyFetches += 1;
    barrier.pass(path, () => {
      if (!response.destroyed) answer(route, request, response);
    });
  });

  const answer = (route: string, request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('date', new Date(now()).toUTCString());
    if (outage === 'error') {
      response
        .writeHead(500, { 'content-type': 'text/html' })
        .end('<html><body>Internal Server Error</body></html>');
      return;
    }
    const handler = routes[route] ?? (() => ({ status: 404, json: { error: 'not_found' } }));
    Promise.resolve(handler(request)).then(
      (given) => {
        send(response, given);
      },
      (error: unknown) => {
        send(response, { status: 500, json: { error: 'simulator_fault', message: String(error) } });
      },
    );
  };
  server.on('connection', (socket) => {
    if (outage === 'refuse') socket.resetAndDestroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;

  return {
    baseUrl: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    keyFetches: () => keyFetches,
    barrier,
    setOutage: (next) => {
      outage = next;
      if (next === 'refuse') server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
};
