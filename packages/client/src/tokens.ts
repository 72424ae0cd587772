import type { Session } from '@pufftrack/contract';

/** The tokens of a signed-in client. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Expiry of the access token in ms, by the client's clock. */
  readonly expiresAt: number;
}

/** Persistent storage of the tokens: keychain, local storage. Every save replaces the previous value. */
export interface TokenStore {
  load(): Promise<Tokens | null>;
  save(tokens: Tokens | null): Promise<void>;
}

export const memoryTokenStore = (initial: Tokens | null = null): TokenStore => {
  let held = initial;
  return {
    load: () => Promise.resolve(held),
    save: (tokens) => {
      held = tokens;
      return Promise.resolve();
    },
  };
};

export const tokensOf = (
  session: Pick<Session, 'accessToken' | 'refreshToken' | 'expiresIn'>,
  now: number,
): Tokens => ({
  accessToken: session.accessToken,
  refreshToken: session.refreshToken,
  expiresAt: now + session.expiresIn * 1000,
});
