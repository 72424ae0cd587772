import type { Session } from '@pufftrack/contract';

/** What a signed-in client holds. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** End of the access token's life in ms, by the client's own clock. */
  readonly expiresAt: number;
}

/** Where tokens outlive the process: keychain, local storage. Every save replaces what was there. */
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
