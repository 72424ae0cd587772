import {
  persistentEvents,
  type BatchAnswer,
  type BatchPuffInput,
  type ClientToServerEvents,
  type PersistentEventName,
  type Problem,
  type PuffAnswer,
  type PuffInput,
  type ServerEvent,
  type ServerEventName,
  type ServerToClientEvents,
  type UndoAnswer,
  type UndoInput,
} from '@pufftrack/contract';
import { io, type Socket } from 'socket.io-client';
import { ApiError, isProblem, isTemporary, networkError, problemError } from './api-error.ts';
import type { SessionTokens } from './session-tokens.ts';
import type { Tokens } from './tokens.ts';

/**
 * Longer than the 15 s within which the server answers every event, and some seconds for the network: what it answers at
 * the last moment, a 503 with its reason included, is still used.
 */
const ackTimeoutMs = 20_000;
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

type Listener = (payload: unknown) => void;

/** A live connection. It reconnects until it is closed or permanently refused. */
export class PuffSocket {
  /** Resolves with the first connection, or rejects when the server refuses it. Pending while there is no network. */
  readonly connected: Promise<void>;
  readonly #socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly #session: SessionTokens;
  readonly #signIn: number;
  readonly #listeners = new Map<string, Set<Listener>>();
  #lastSeq: number | undefined;
  #renewing: Promise<void> | undefined;
  #used: Tokens | null = null;
  /** Why the server refused this client; cleared by a successful connection. */
  #refusal: ApiError | undefined;
  #closed = false;
  #retryMs = firstRetryMs;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #renewed = false;
  #connection: { resolve: () => void; reject: (error: ApiError) => void };

  constructor(options: { baseUrl: string; session: SessionTokens; lastSeq?: number | undefined }) {
    this.#session = options.session;
    this.#signIn = options.session.signIn;
    this.#lastSeq = options.lastSeq;
    const { promise, resolve, reject } = withResolvers();
    this.connected = promise;
    this.#connection = { resolve, reject };
    // A caller that does not await it gets the refusal from the first `puff`.
    promise.catch(() => undefined);

    // A path in the URL of io() would select a Socket.IO namespace.
    const [, origin, prefix = ''] = /^(\w+:\/\/[^/]+)?(.*?)\/*$/.exec(options.baseUrl) ?? [];
    const settings = {
      path: `${prefix}/socket.io`,
      transports: ['websocket'],
      // Two clients in one process must not share a connection.
      forceNew: true,
      auth: (answer: (data: object) => void) => {
        void this.#authenticate().then(answer);
      },
    };
    this.#socket = origin === undefined ? io(settings) : io(origin, settings);
    this.#socket.onAny((event: string, payload: unknown) => {
      this.#receive(event, payload);
    });
    this.#socket.on('connect', () => {
      this.#refusal = undefined;
      this.#renewed = false;
      this.#retryMs = firstRetryMs;
      this.#connection.resolve();
    });
    this.#socket.on('connect_error', (error) => {
      const data: unknown = error.data;
      if (isProblem(data)) void this.#refused(problemError(data));
    });
    this.#socket.on('disconnect', (reason) => {
      // The only reason after which Socket.IO does not reconnect: a drain, or an expired token.
      if (reason === 'io server disconnect' && !this.#refusal) this.#reconnectLater();
    });
  }

  /** `seq` of the last persistent event; pass it to `connect({lastSeq})` after a restart of the app. */
  get lastSeq(): number | undefined {
    return this.#lastSeq;
  }

  /** Calls `listener` for every event of that name, from the first one if it is added right after `connect`. */
  on<Name extends ServerEventName>(event: Name, listener: (payload: ServerEvent<Name>) => void): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as Listener));
  }

  off<Name extends ServerEventName>(event: Name, listener: (payload: ServerEvent<Name>) => void): void {
    this.#listeners.get(event)?.delete(listener as Listener);
  }

  /** Records a puff. After a `network` error it may have been recorded: send it again with the same id. */
  puff(payload: PuffInput = {}): Promise<PuffAnswer> {
    return this.#emit('puff', payload) as Promise<PuffAnswer>;
  }

  /** Records up to 100 puffs; each has its own result. */
  puffs(items: readonly BatchPuffInput[]): Promise<BatchAnswer> {
    return this.#emit('puff', { puffs: items }) as Promise<BatchAnswer>;
  }

  /** Undoes a puff; without an id the newest one of this session. With an id it is idempotent. */
  undo(payload: UndoInput = {}): Promise<UndoAnswer> {
    return this.#emit('undo', payload) as Promise<UndoAnswer>;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket.disconnect();
    this.#connection.reject(networkError('The socket is closed'));
  }

  #emit(event: keyof ClientToServerEvents, payload: unknown, isRetry = false): Promise<object> {
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#refusal) {
        reject(this.#refusal ?? networkError('The socket is closed'));
        return;
      }
      const onAnswer = (error: Error | null, answer: object | { error: Problem }) => {
        if (error) reject(networkError(`No answer to ${event}`, error));
        else if ('error' in answer) {
          // The old token expired during the renewal: wait for the new one, once.
          if (answer.error.code === 'token-expired' && this.#renewing && !isRetry)
            this.#renewing.then(() => this.#emit(event, payload, true)).then(resolve, reject);
          else reject(problemError(answer.error));
        } else resolve(answer);
      };
      this.#socket.timeout(ackTimeoutMs).emit(event, payload, onAnswer);
    });
  }

  #receive(event: string, payload: unknown): void {
    if (this.#isRepeated(event, payload)) return;
    this.#updateLastSeq(event, payload);
    if (event === 'sessionEnded') this.#sessionEnded(payload as ServerEvent<'sessionEnded'>);
    if (event === 'tokenExpiring')
      this.#renewing ??= this.#renewToken().finally(() => {
        this.#renewing = undefined;
      });
    if (event === 'serverDraining') {
      this.#retryMs = (payload as ServerEvent<'serverDraining'>).reconnectAfterMs;
    }
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(payload);
  }

  /** A persistent event that was received before: it was in flight when the connection broke. */
  #isRepeated(event: string, payload: unknown): boolean {
    if (!isPersistent(event)) return false;
    return (payload as ServerEvent<PersistentEventName>).seq <= (this.#lastSeq ?? 0);
  }

  /** Where a reconnect resumes. `ready` carries the head before the replay, so it only sets the initial value. */
  #updateLastSeq(event: string, payload: unknown): void {
    if (typeof payload !== 'object' || payload === null || !('seq' in payload)) return;
    if (typeof payload.seq !== 'number') return;
    if (event === 'ready') this.#lastSeq ??= payload.seq;
    else if (event === 'resyncRequired') this.#lastSeq = payload.seq;
    else this.#lastSeq = Math.max(this.#lastSeq ?? 0, payload.seq);
  }

  #sessionEnded({ reason }: ServerEvent<'sessionEnded'>): void {
    // The access token expired, not the session: after the disconnect that follows, a reconnect uses a new one.
    if (reason === 'expired') return;
    const code = reason === 'logout' ? 'session-ended' : reason;
    this.#refusal = new ApiError({ status: 401, code, message: `The session has ended: ${reason}` });
    void this.#session.endBy(this.#refusal, this.#signIn).catch(() => undefined);
  }

  /** A renewed token keeps the connection. If the renewal fails, the socket ends with the old token and reconnects. */
  async #renewToken(): Promise<void> {
    const used = this.#used;
    if (used === null) return;
    const renewed = await this.#session.renew(used).catch(() => null);
    if (renewed === null || this.#session.signIn !== this.#signIn) return;
    this.#used = renewed;
    const { accessToken: token } = renewed;
    await new Promise<void>((answered) => {
      this.#socket.timeout(ackTimeoutMs).emit('authenticate', { token }, () => {
        answered();
      });
    });
  }

  async #authenticate(): Promise<object> {
    // Without a new token the old one is sent: the server's refusal has the reason.
    this.#used = await this.#session.fresh().catch(() => this.#session.held);
    return {
      ...(this.#used === null ? {} : { token: this.#used.accessToken }),
      ...(this.#lastSeq === undefined ? {} : { lastSeq: this.#lastSeq }),
    };
  }

  /** Socket.IO does not reconnect a refused socket; temporary refusals are retried here. */
  async #refused(error: ApiError): Promise<void> {
    let reason = error;
    if (error.code === 'token-expired' && this.#used !== null && !this.#renewed) {
      this.#renewed = true;
      try {
        await this.#session.renew(this.#used);
        if (!this.#closed) this.#socket.connect();
        return;
      } catch (failure) {
        if (failure instanceof ApiError) reason = failure;
      }
    }
    this.#connection.reject(reason);
    if (isTemporary(reason)) {
      this.#renewed = false;
      this.#reconnectLater();
      return;
    }
    this.#refusal = reason;
    await this.#session.endBy(reason, this.#signIn).catch(() => undefined);
  }

  #reconnectLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#socket.connect(), this.#retryMs);
    this.#retryMs = Math.min(Math.max(this.#retryMs, firstRetryMs) * 2, lastRetryMs);
  }
}

const isPersistent = (event: string): event is PersistentEventName =>
  (persistentEvents as readonly string[]).includes(event);

/** `Promise.withResolvers` is younger than the oldest Node.js that this runs on. */
const withResolvers = () => {
  let resolve!: () => void;
  let reject!: (error: ApiError) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
};
