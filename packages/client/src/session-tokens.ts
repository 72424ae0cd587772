import type { ProblemCode, Session } from '@pufftrack/contract';
import { ApiError, isTemporary } from './api-error.ts';
import { tokensOf, type Tokens, type TokenStore } from './tokens.ts';

/** An access token with less time left is renewed before use. */
const renewBeforeMs = 30_000;

const endingCodes: ReadonlySet<ProblemCode | 'network'> = new Set([
  'session-ended',
  'refresh-reused',
  'account-gone',
] as const);

/** The tokens of a sign-in: loaded once, rotated by one call at a time, saved before use. */
export class SessionTokens {
  readonly #store: TokenStore;
  readonly #now: () => number;
  readonly #rotate: (refreshToken: string) => Promise<Session>;
  readonly #onAccountGone: () => Promise<void>;
  #held: Tokens | null = null;
  #loading: Promise<void> | undefined;
  #rotating: Promise<Session> | undefined;
  /** Serializes reads and writes of the store, so that a late save cannot overwrite a newer one. */
  #lastAccess: Promise<unknown> = Promise.resolve();
  #signIns = 0;

  constructor(options: {
    store: TokenStore;
    now: () => number;
    rotate: (refreshToken: string) => Promise<Session>;
    /** Clears the other local data of a deleted account. */
    onAccountGone: () => Promise<void>;
  }) {
    this.#store = options.store;
    this.#now = options.now;
    this.#rotate = options.rotate;
    this.#onAccountGone = options.onAccountGone;
  }

  get held(): Tokens | null {
    return this.#held;
  }

  /** Changes with each sign-in and sign-out, so that no call is repeated for another account. */
  get signIn(): number {
    return this.#signIns;
  }

  async load(): Promise<Tokens | null> {
    this.#loading ??= this.#serialize(async () => {
      this.#held = await this.#store.load();
    }).catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    await this.#loading;
    return this.#held;
  }

  /** Replaces the sign-in. The result of a running rotation of the previous one is discarded. */
  async set(tokens: Tokens | null): Promise<void> {
    this.#signIns += 1;
    this.#loading = Promise.resolve();
    await this.#serialize(async () => {
      this.#held = tokens;
      await this.#store.save(tokens);
    });
  }

  /** Tokens to use now, renewed if they are about to end. */
  async fresh(): Promise<Tokens | null> {
    await this.load();
    if (this.#held === null || this.#timeLeft() >= renewBeforeMs) return this.#held;
    await this.#adoptStored();
    if (this.#timeLeft() >= renewBeforeMs) return this.#held;
    try {
      await this.refresh();
    } catch (error) {
      // The renewal is early: while the token is valid, a busy auth service blocks nothing.
      if (!isTemporary(error) || this.#timeLeft() <= 0) throw error;
    }
    return this.#held;
  }

  /** Tokens newer than those that the server called expired. */
  async renew(used: Tokens): Promise<Tokens | null> {
    await this.#adoptStored();
    if (this.#held?.accessToken === used.accessToken) await this.refresh();
    return this.#held;
  }

  refresh(): Promise<Session> {
    this.#rotating ??= this.#rotateOnce().finally(() => {
      this.#rotating = undefined;
    });
    return this.#rotating;
  }

  /** The tokens after the running rotation, if there is one. */
  async afterRotation(): Promise<Tokens | null> {
    await this.load();
    await this.#rotating?.catch(() => undefined);
    return this.#held;
  }

  /** Clears the tokens of a sign-in that the server has ended. */
  async endBy(error: unknown, signIn: number): Promise<void> {
    if (!(error instanceof ApiError) || !endingCodes.has(error.code)) return;
    if (this.#signIns !== signIn || this.#held === null) return;
    if (error.code === 'account-gone') await this.accountGone(signIn);
    else await this.set(null);
  }

  /** Clears the local data of a deleted account; the tokens last, so that a crash in between is repaired. */
  async accountGone(signIn: number): Promise<void> {
    if (this.#signIns !== signIn) return;
    await this.#onAccountGone();
    if (this.#signIns === signIn) await this.set(null);
  }

  async #rotateOnce(): Promise<Session> {
    await this.load();
    await this.#adoptStored();
    const signIn = this.#signIns;
    if (this.#held === null) {
      throw new ApiError({ status: 401, code: 'unauthenticated', message: 'Not signed in' });
    }
    const session = await this.#rotateWith(this.#held.refreshToken, signIn);
    const next = tokensOf(session, this.#now());
    await this.#serialize(async () => {
      if (this.#signIns !== signIn) {
        throw new ApiError({ status: 401, code: 'unauthenticated', message: 'The sign-in was replaced' });
      }
      // Saved before use (SES-4): the old token stays valid until its successor is used, so a crash or a failed save is
      // harmless.
      await this.#store.save(next);
      this.#held = next;
    });
    return session;
  }

  async #rotateWith(refreshToken: string, signIn: number): Promise<Session> {
    try {
      try {
        return await this.#rotate(refreshToken);
      } catch (error) {
        // The response may have been lost after the rotation; the same token returns the same successor.
        if (error instanceof ApiError && error.code === 'network') return await this.#rotate(refreshToken);
        throw error;
      }
    } catch (error) {
      await this.endBy(error, signIn);
      throw error;
    }
  }

  /** Another tab with the same store may have rotated; the local token is then the predecessor. */
  async #adoptStored(): Promise<void> {
    await this.#serialize(async () => {
      const stored = await this.#store.load();
      if (stored !== null && this.#held !== null) this.#held = stored;
    });
  }

  #timeLeft(): number {
    return this.#held === null ? 0 : this.#held.expiresAt - this.#now();
  }

  #serialize<T>(step: () => Promise<T>): Promise<T> {
    const access = this.#lastAccess.then(step);
    this.#lastAccess = access.catch(() => undefined);
    return access;
  }
}
