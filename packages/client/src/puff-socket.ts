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
import { ReceivedEvents, type NextOptions } from './received-events.ts';
import type { SessionTokens } from './session-tokens.ts';
import type { Tokens } from './tokens.ts';

const ackTimeoutMs = 10_000;
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

type Listener = (payload: unknown) => void;

/** One live connection. It reconnects by itself until it is closed or refused for good. */
export class PuffSocket {
  /** The first outcome: connected, or refused by the server. Stays open while the network is away. */
  readonly connected: Promise<void>;
  readonly #socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly #session: SessionTokens;
  readonly #signIn: number;
  readonly #received = new ReceivedEvents();
  readonly #listeners = new Map<string, Set<Listener>>();
  #lastSeq: number | undefined;
  #renewing: Promise<void> | undefined;
  #used: Tokens | null = null;
  /** Why the server took this client no more, until a connection succeeds. */
  #refusal: ApiError | undefined;
  #closed = false;
  #retryMs = firstRetryMs;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #renewed = false;
  #settleConnected: { resolve: () => void; reject: (error: ApiError) => void };

  constructor(options: { baseUrl: string; session: SessionTokens; lastSeq?: number | undefined }) {
    this.#session = options.session;
    this.#signIn = options.session.signIn;
    this.#lastSeq = options.lastSeq;
    const { promise, resolve, reject } = withResolvers();
    this.connected = promise;
    this.#settleConnected = { resolve, reject };
    // Whoever does not await it learns of a refusal by the first `puff`.
    promise.catch(() => undefined);

    // A path in io()'s address would name a Socket.IO namespace.
    const [, origin, prefix = ''] = /^(\w+:\/\/[^/]+)?(.*?)\/*$/.exec(options.baseUrl) ?? [];
    const settings = {
      path: `${prefix}/socket.io`,
      transports: ['websocket'],
      // Two people in one process must not share a connection.
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
      this.#settleConnected.resolve();
    });
    this.#socket.on('connect_error', (error) => {
      const data: unknown = error.data;
      if (isProblem(data)) void this.#refused(problemError(data));
    });
    this.#socket.on('disconnect', (reason) => {
      // The one reason after which Socket.IO does not reconnect: a drain, or a token that ran out.
      if (reason === 'io server disconnect' && !this.#refusal) this.#reconnectLater();
    });
  }

  /** The last persistent event that was received: what `connect({lastSeq})` takes after a restart of the app. */
  get lastSeq(): number | undefined {
    return this.#lastSeq;
  }

  on<Name extends ServerEventName>(event: Name, listener: (payload: ServerEvent<Name>) => void): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as Listener));
  }

  off<Name extends ServerEventName>(event: Name, listener: (payload: ServerEvent<Name>) => void): void {
    this.#listeners.get(event)?.delete(listener as Listener);
  }

  /** The next payload that no earlier `next` has had, from the first moment of the connection on. */
  next<Name extends ServerEventName>(event: Name, options?: NextOptions<Name>): Promise<ServerEvent<Name>> {
    return this.#received.next(event, options);
  }

  /** All payloads so far, in order, whether `next` took them or not. */
  received<Name extends ServerEventName>(event: Name): ServerEvent<Name>[] {
    return this.#received.list(event);
  }

  /** Records one. After a `network` error it may be recorded all the same: send it again with the same id. */
  puff(payload: PuffInput = {}): Promise<PuffAnswer> {
    return this.#emit('puff', payload) as Promise<PuffAnswer>;
  }

  /** Records up to 100, each with a result of its own. */
  puffs(items: readonly BatchPuffInput[]): Promise<BatchAnswer> {
    return this.#emit('puff', { puffs: items }) as Promise<BatchAnswer>;
  }

  /** Undoes a puff; without an id the newest one that this session sent. With an id it is safe to send again. */
  undo(payload: UndoInput = {}): Promise<UndoAnswer> {
    return this.#emit('undo', payload) as Promise<UndoAnswer>;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket.disconnect();
    const error = networkError('The socket is closed');
    this.#received.end(error);
    this.#settleConnected.reject(error);
  }

  #emit(event: keyof ClientToServerEvents, payload: unknown, isRetry = false): Promise<object> {
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#refusal) {
        reject(this.#refusal ?? networkError('The socket is closed'));
        return;
      }
      const settle = (error: Error | null, answer: object | { error: Problem }) => {
        if (error) reject(networkError(`No answer to ${event}`, error));
        else if ('error' in answer) {
          // The old token ran out while the new one was on its way: that one is waited for, once.
          if (answer.error.code === 'token-expired' && this.#renewing && !isRetry)
            this.#renewing.then(() => this.#emit(event, payload, true)).then(resolve, reject);
          else reject(problemError(answer.error));
        } else resolve(answer);
      };
      this.#socket.timeout(ackTimeoutMs).emit(event, payload, settle);
    });
  }

  #receive(event: string, payload: unknown): void {
    if (this.#isRepeated(event, payload)) return;
    this.#received.push(event, payload);
    this.#noteSeq(event, payload);
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

  /** A persistent event that this client has had: one was on its way when the connection broke. */
  #isRepeated(event: string, payload: unknown): boolean {
    if (!isPersistent(event)) return false;
    return (payload as ServerEvent<PersistentEventName>).seq <= (this.#lastSeq ?? 0);
  }

  /** Where a reconnect resumes. `ready` tells the head before the replay, so it counts only as a start. */
  #noteSeq(event: string, payload: unknown): void {
    if (typeof payload !== 'object' || payload === null || !('seq' in payload)) return;
    if (typeof payload.seq !== 'number') return;
    if (event === 'ready') this.#lastSeq ??= payload.seq;
    else if (event === 'resyncRequired') this.#lastSeq = payload.seq;
    else this.#lastSeq = Math.max(this.#lastSeq ?? 0, payload.seq);
  }

  #sessionEnded({ reason }: ServerEvent<'sessionEnded'>): void {
    // The access token ran out, not the sign-in: the disconnect that follows reconnects with a new one.
    if (reason === 'expired') return;
    const code = reason === 'logout' ? 'session-ended' : reason;
    this.#refusal = new ApiError({ status: 401, code, message: `The session has ended: ${reason}` });
    void this.#session.endBy(this.#refusal, this.#signIn).catch(() => undefined);
  }

  /** A token in time keeps the connection. Where it fails the socket ends with the old one, and comes back. */
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
    // Without a new token the old one goes: the server's refusal says what is wrong with it.
    this.#used = await this.#session.fresh().catch(() => this.#session.held);
    return {
      ...(this.#used === null ? {} : { token: this.#used.accessToken }),
      ...(this.#lastSeq === undefined ? {} : { lastSeq: this.#lastSeq }),
    };
  }

  /** Socket.IO leaves a refused socket alone; what may pass later is tried again from here. */
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
    this.#settleConnected.reject(reason);
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
