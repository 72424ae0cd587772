/** The person behind a call, proven by an access token. */
export interface Actor {
  readonly userId: string;
  readonly sessionId: string;
  /** ms since the epoch: when the access token runs out. */
  readonly expiresAt: number;
}

/**
 * Called before the signature of a token is checked, which costs CPU time and needs no credentials. `sessionId` is the
 * session that the token names, where its form proves that this server made that id. Throws `rate-limited`.
 */
export type BeforeVerification = (sessionId: string | undefined) => void;

/** Throws `invalid-token`, `token-expired`, `session-ended`, `account-gone`, and what `beforeVerification` throws. */
export type Authenticate = (
  accessToken: string,
  beforeVerification?: BeforeVerification,
) => Actor | Promise<Actor>;
