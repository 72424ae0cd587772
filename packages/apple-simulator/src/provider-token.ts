import { createPublicKey, type KeyObject } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';

const maxAgeSeconds = 60 * 60;
const skewSeconds = 60;

/** What APNs says of a provider token; undefined: it is fine (PUSH-2). */
export const providerTokenFault = async (
  authorization: string | undefined,
  rules: { teamId: string; now: () => number; key: string | KeyObject | undefined },
): Promise<'MissingProviderToken' | 'InvalidProviderToken' | 'ExpiredProviderToken' | undefined> => {
  const token = /^bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return 'MissingProviderToken';
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const { iss, iat } = decodeJwt(token);
    if (alg !== 'ES256' || !kid || iss !== rules.teamId || iat === undefined) return 'InvalidProviderToken';
    const { key } = rules;
    if (key !== undefined)
      await compactVerify(token, typeof key === 'string' ? createPublicKey(key) : key, {
        algorithms: ['ES256'],
      });
    const age = rules.now() / 1000 - iat;
    return age < -skewSeconds || age > maxAgeSeconds ? 'ExpiredProviderToken' : undefined;
  } catch {
    return 'InvalidProviderToken';
  }
};
