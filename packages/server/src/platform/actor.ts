/** The person behind a call, proven by an access token. */
export interface Actor {
  readonly userId: string;
  readonly sessionId: string;
  /** ms since the epoch: when the access token runs out. */
  readonly expiresAt: number;
}

/** Throws `invalid-token`, `token-expired`, `session-ended` or `account-gone`. */
export type Authenticate = (accessToken: string) => Actor | Promise<Actor>;
