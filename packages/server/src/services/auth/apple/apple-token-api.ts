import { z } from 'zod';
import {
  createCircuitBreaker,
  UnavailableError,
  type BreakerWatch,
} from '../../../platform/concurrency/circuit-breaker.ts';
import type { Clock } from '../../../platform/clock.ts';
import { fetchText } from '../../../platform/http/fetch-text.ts';
import type { ClientSecretFor } from './apple-client-secret.ts';
import { productionAppleLimits, type AppleTimeLimits } from './apple-time-limits.ts';

const maxBytes = 64 * 1024;

const Tokens = z.object({
  refresh_token: z.string().min(1).max(2048),
  id_token: z.string().min(1).max(8192),
});
const Refusal = z.object({ error: z.string().max(64) });

/** Apple's token endpoints (TN3194). Both throw UnavailableError if Apple gives no usable answer. */
export interface AppleTokenApi {
  /** Redeems an authorization code; undefined if Apple refuses it. */
  exchange(code: string, clientId: string): Promise<{ refreshToken: string; idToken: string } | undefined>;
  /** Revokes the grant of a refresh token; a no-op if Apple does not know the token. */
  revoke(refreshToken: string, clientId: string): Promise<void>;
}

export const createAppleTokenApi = (deps: {
  baseUrl: string;
  clientSecret: ClientSecretFor;
  clock: Clock;
  watch?: BreakerWatch;
  limits?: Pick<AppleTimeLimits, 'tokensMs'> | undefined;
}): AppleTokenApi => {
  const { limits = productionAppleLimits } = deps;
  const breaker = createCircuitBreaker({
    name: 'Apple',
    clock: deps.clock,
    failures: 3,
    openMs: 30_000,
    maxInFlight: 50,
    ...(deps.watch && { watch: deps.watch }),
  });

  /** The body of a 200; undefined if Apple refuses the code or token. */
  const post = (path: string, clientId: string, fields: Record<string, string>) =>
    breaker.run(async () => {
      const secret = await deps.clientSecret(clientId);
      const body = new URLSearchParams({ client_id: clientId, client_secret: secret, ...fields });
      const answer = await fetchText(
        `${deps.baseUrl}${path}`,
        { method: 'POST', body },
        { timeoutMs: limits.tokensMs, maxBytes },
      ).catch((cause: unknown) => {
        throw new UnavailableError('Apple did not answer', { cause });
      });
      if (answer.status === 200) return answer.text;
      const refusal = answer.status === 400 ? Refusal.safeParse(parseJson(answer.text)).data : undefined;
      if (refusal?.error === 'invalid_grant' || refusal?.error === 'invalid_request') return undefined;
      // Mostly `invalid_client`: this server's key, team id or clock is wrong, not the user's input.
      throw new UnavailableError(`Apple answered ${answer.status} ${refusal?.error ?? ''}`.trim());
    });

  return {
    async exchange(code, clientId) {
      const text = await post('/auth/token', clientId, { grant_type: 'authorization_code', code });
      if (text === undefined) return undefined;
      const tokens = Tokens.safeParse(parseJson(text));
      if (!tokens.success) throw new UnavailableError('Apple answered without tokens');
      return { refreshToken: tokens.data.refresh_token, idToken: tokens.data.id_token };
    },
    async revoke(token, clientId) {
      await post('/auth/revoke', clientId, { token, token_type_hint: 'refresh_token' });
    },
  };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
