import type { Session, User } from '@pufftrack/contract';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { sealContexts, unseal, type MasterKeys } from '../keys/sealed.ts';
import type { AccessTokens } from './access-tokens.ts';
import {
  isRefreshTokenOf,
  readRefreshToken,
  refreshTokenOf,
  type RefreshTokenName,
} from './refresh-token.ts';
import { remainingMs, type StoredSession } from './session.ts';
import type { SessionStore } from './session-store.ts';

/** Issues the tokens of a session, and finds the session of a refresh token. */
export interface SessionIssuer {
  issue(session: StoredSession, user: User): Promise<Session>;
  /** Verifies a refresh token, whatever its counter. Throws `invalid-token`. */
  findByRefreshToken(refreshToken: string): Promise<{ session: StoredSession; counter: number }>;
}

export const createSessionIssuer = (deps: {
  sessions: Pick<SessionStore, 'find'>;
  accessTokens: AccessTokens;
  masterKeys: MasterKeys;
  clock: Clock;
}): SessionIssuer => {
  const { sessions, accessTokens, masterKeys, clock } = deps;
  const keyOf = ({ id, sealedKey }: StoredSession) => unseal(masterKeys, sealedKey, sealContexts.session(id));

  /** A row that no master key opens (docs/adr/0011) has no valid tokens. */
  const isTokenOf = (refreshToken: string, name: RefreshTokenName, session: StoredSession): boolean => {
    try {
      return isRefreshTokenOf(refreshToken, name, keyOf(session));
    } catch {
      return false;
    }
  };

  return {
    async issue(session, user) {
      const { id, userId, refreshCounter, expiresAt } = session;
      const access = await accessTokens.mint({
        userId,
        sessionId: id,
        refreshCounter,
        notAfter: expiresAt,
      });
      return {
        accessToken: access.token,
        tokenType: 'Bearer',
        expiresIn: access.expiresInSeconds,
        refreshToken: refreshTokenOf({ sessionId: id, counter: refreshCounter }, keyOf(session)),
        refreshExpiresIn: Math.floor(remainingMs(session, clock.now()) / 1000),
        user,
      };
    },

    async findByRefreshToken(refreshToken) {
      const name = readRefreshToken(refreshToken);
      const session = name && (await sessions.find(name.sessionId));
      if (!session || !isTokenOf(refreshToken, name, session))
        throw new DomainError('invalid-token', { detail: 'This is not a refresh token of this server.' });
      return { session, counter: name.counter };
    },
  };
};
