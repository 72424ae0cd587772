import {
  endpoints,
  type EndpointName,
  type EndpointRequest,
  type EndpointResult,
  type Endpoints,
  type EndpointSpec,
  type Session,
} from '@pufftrack/contract';
import { ApiError } from './api-error.ts';
import { createPuffQueue, type PuffQueue } from './puff-queue.ts';
import { PuffSocket } from './puff-socket.ts';
import { memoryPuffStorage, type PuffStorage } from './puff-storage.ts';
import type { LooseRequest } from './request.ts';
import { SessionTokens } from './session-tokens.ts';
import { memoryTokenStore, tokensOf, type Tokens, type TokenStore } from './tokens.ts';
import { createTransport, type WireAnswer } from './transport.ts';

export type AppleSignInInput = NonNullable<EndpointRequest<Endpoints['signInWithApple']>['body']>;
export type AppleSessionResult = EndpointResult<Endpoints['signInWithApple']>;

export interface ClientOptions {
  /** Origin of the server, with a path prefix if it stands behind one; '' for the page's own origin. */
  baseUrl: string;
  tokens?: TokenStore;
  puffs?: PuffStorage;
  fetch?: typeof fetch;
  now: () => number;
  newId?: () => string;
  /** Longest wait for the answer to a call without a body, default 30 s; a body adds a second per KB, 5 min at most. */
  timeoutMs?: number;
}

export interface SendResult<N extends EndpointName> {
  status: number;
  headers: Headers;
  body: EndpointResult<Endpoints[N]>;
}

export interface Client {
  /** One typed method for every endpoint, e.g. `client.call('recordPuff', { body: { quantity: 2 } })`. */
  call<N extends EndpointName>(
    name: N,
    request?: EndpointRequest<Endpoints[N]>,
  ): Promise<EndpointResult<Endpoints[N]>>;
  /** Like `call`, with status and headers. An `authorization` header of the caller is sent unchanged. */
  send<N extends EndpointName>(
    name: N,
    request?: EndpointRequest<Endpoints[N]>,
    options?: { headers?: Record<string, string> },
  ): Promise<SendResult<N>>;
  signIn(body: AppleSignInInput): Promise<AppleSessionResult>;
  /** Rotates the tokens; concurrent calls share one rotation. */
  refresh(): Promise<Session>;
  /** Deletes the local tokens in any case; throws if the server did not end the session. */
  signOut(): Promise<void>;
  /**
   * Deletes the account and clears the local queue. Throws `reauth-required` if the sign-in is older than 5 minutes; with
   * a fresh authorization code the server can revoke the grant at Apple. Throws `account-gone` for an already deleted
   * account, and clears the local data too.
   */
  deleteAccount(authorizationCode?: string): Promise<EndpointResult<Endpoints['deleteMe']>>;
  setTokens(tokens: Tokens | null): Promise<void>;
  /** The current access token; null before the first call has loaded the store. */
  accessToken(): string | null;
  connect(options?: { lastSeq?: number }): PuffSocket;
  /** Closes every socket that `connect` has opened. */
  close(): void;
  readonly queue: PuffQueue;
}

const withToken = (headers: Headers, tokens: Tokens | null): Headers => {
  const copy = new Headers(headers);
  if (tokens) copy.set('authorization', `Bearer ${tokens.accessToken}`);
  return copy;
};

export const createClient = (options: ClientOptions): Client => {
  const { baseUrl, now } = options;
  const sockets: PuffSocket[] = [];
  const exchange = createTransport({
    baseUrl,
    now,
    // Called as a plain function, because a browser's fetch requires `this` to be the window.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    timeoutMs: options.timeoutMs ?? 30_000,
  });
  const session = new SessionTokens({
    store: options.tokens ?? memoryTokenStore(),
    now,
    rotate: async (refreshToken) => {
      const { body } = await exchange(endpoints.refreshSession, { body: { refreshToken } }, new Headers());
      return body as Session;
    },
    onAccountGone: () => queue.clear(),
  });

  const exchangeSignedIn = async (
    spec: EndpointSpec,
    request: LooseRequest,
    headers: Headers,
  ): Promise<WireAnswer> => {
    const tokens = await session.fresh();
    const { signIn } = session;
    const attempt = (held: Tokens | null) =>
      exchange(spec, request, withToken(headers, held)).catch(async (error: unknown) => {
        await session.endBy(error, signIn);
        throw error;
      });
    try {
      return await attempt(tokens);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'token-expired' || !tokens) throw error;
      // Checked before and after: a call of one account is not repeated with the token of another.
      if (session.signIn !== signIn) throw error;
      const renewed = await session.renew(tokens);
      if (session.signIn !== signIn) throw error;
      return await attempt(renewed);
    }
  };

  const send: Client['send'] = async (name, request = {}, { headers: given } = {}) => {
    const spec: EndpointSpec = endpoints[name];
    const headers = new Headers(given);
    // Logout is public; without a refresh token the access token identifies the session.
    const isAuthenticated = spec.auth === 'user' || (name === 'logout' && request.body === undefined);
    const answer =
      isAuthenticated && !headers.has('authorization')
        ? await exchangeSignedIn(spec, request, headers)
        : await exchange(spec, request, headers);
    return answer as SendResult<typeof name>;
  };

  const call: Client['call'] = async (name, request) => (await send(name, request)).body;

  const queue = createPuffQueue({
    storage: options.puffs ?? memoryPuffStorage(),
    send: (puffs) => call('recordPuffBatch', { body: { puffs } }),
    remove: (id) => call('deletePuff', { params: { id } }),
    now,
    newId: options.newId ?? (() => crypto.randomUUID()),
  });

  return {
    call,
    send,
    signIn: async (body) => {
      const answer = await call('signInWithApple', { body });
      await session.set(tokensOf(answer, now()));
      return answer;
    },
    refresh: () => session.refresh(),
    signOut: async () => {
      const tokens = await session.afterRotation();
      if (!tokens) return;
      try {
        await call('logout', { body: { refreshToken: tokens.refreshToken } });
      } catch (error) {
        // 401: the session had ended before.
        if (!(error instanceof ApiError) || error.status !== 401) throw error;
      } finally {
        await session.set(null);
      }
    },
    deleteAccount: async (authorizationCode) => {
      await session.load();
      const { signIn } = session;
      const answer = await call('deleteMe', { body: { authorizationCode } });
      await session.accountGone(signIn);
      return answer;
    },
    setTokens: (tokens) => session.set(tokens),
    accessToken: () => session.held?.accessToken ?? null,
    connect: ({ lastSeq } = {}) => {
      const socket = new PuffSocket({ baseUrl, session, lastSeq });
      sockets.push(socket);
      return socket;
    },
    close() {
      for (const socket of sockets.splice(0)) socket.close();
    },
    queue,
  };
};
