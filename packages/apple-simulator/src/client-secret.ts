import { createPublicKey, type KeyObject } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';

export interface ClientSecretRules {
  teamId: string;
  now: () => number;
  /** Absent: the signature goes unchecked. */
  key: string | KeyObject | undefined;
}

const maxLifetimeSeconds = 15_777_000;
const skewSeconds = 60;

/** Whether Apple would take this `client_secret` from `clientId` (SIWA-7). */
export const isClientSecret = async (
  secret: string,
  clientId: string,
  { teamId, now, key }: ClientSecretRules,
): Promise<boolean> => {
  try {
    const { alg, kid } = decodeProtectedHeader(secret);
    const { iss, aud, sub, iat, exp } = decodeJwt(secret);
    if (alg !== 'ES256' || !kid || iat === undefined || exp === undefined) return false;
    if (iss !== teamId || aud !== 'https://appleid.apple.com' || sub !== clientId) return false;
    const seconds = now() / 1000;
    if (iat > seconds + skewSeconds || exp <= seconds) return false;
    if (exp - iat > maxLifetimeSeconds || exp - seconds > maxLifetimeSeconds) return false;
    if (key === undefined) return true;
    await compactVerify(secret, typeof key === 'string' ? createPublicKey(key) : key, {
      algorithms: ['ES256'],
    });
    return true;
  } catch {
    return false;
  }
};
