import { constants, createHmac, createPublicKey, generateKeyPairSync, KeyObject, sign } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import type { SigningKeys } from './signing-keys.ts';

export interface IdentityTokenOverrides {
  /**
   * Laid over `iss`, `sub`, `iat`, `exp` (24 h), `auth_time` and `nonce_supported`; undefined removes a claim.
   * `aud` has no default: an attack must not fail merely because its audience is absent.
   */
  claims: { aud: unknown; [claim: string]: unknown };
  /**
   * Laid over `{alg: 'RS256', kid}`; undefined removes. The algorithm is obeyed: `none` leaves the signature
   * empty, `HS256` takes the PEM of the public key as its secret, `ES256` without an EC key makes one.
   */
  header?: Record<string, unknown> | undefined;
  /** `foreign` is a key that `/auth/keys` never publishes; the `kid` stays that of the current key. */
  key?: 'current' | 'foreign' | KeyObject | webcrypto.CryptoKey | undefined;
}

export type MintIdentityToken = (overrides: IdentityTokenOverrides) => Promise<string>;

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** jose refuses most of these on purpose, so an attack is signed here by hand (RFC 7515 section 5.1). */
const signatureOf = (input: string, algorithm: string, key: KeyObject): Buffer => {
  if (algorithm === 'none') return Buffer.alloc(0);
  const hash = `sha${/(?:256|384|512)$/.exec(algorithm)?.[0] ?? '256'}`;
  if (algorithm.startsWith('HS')) {
    const secret = key.type === 'secret' ? key : createPublicKey(key).export({ type: 'spki', format: 'pem' });
    return createHmac(hash, secret).update(input).digest();
  }
  const data = Buffer.from(input);
  if (algorithm.startsWith('ES')) {
    const ec =
      key.asymmetricKeyType === 'ec' ? key : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    return sign(hash, data, { key: ec, dsaEncoding: 'ieee-p1363' });
  }
  if (algorithm.startsWith('PS')) {
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    return sign(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  }
  return sign(hash, data, key);
};

/** Signs what Apple would, and on request what Apple never would: the attack table of SIWA-1 needs both. */
export const identityTokenMinter =
  (simulator: { keys: SigningKeys; issuer: string; subject: string; now: () => number }): MintIdentityToken =>
  async ({ claims, header, key = 'current' }) => {
    const { keys, issuer, subject, now } = simulator;
    const current = keys.current();
    const seconds = Math.floor(now() / 1000);
    const fullHeader: Record<string, unknown> = { alg: 'RS256', kid: current.kid, ...header };
    const payload = {
      iss: issuer,
      sub: subject,
      iat: seconds,
      exp: seconds + 86_400,
      auth_time: seconds,
      nonce_supported: true,
      ...claims,
    };
    const input = `${encode(fullHeader)}.${encode(payload)}`;
    const algorithm = typeof fullHeader.alg === 'string' ? fullHeader.alg : 'RS256';
    const signing = await (async () => {
      if (key === 'current') return current.privateKey;
      if (key === 'foreign') return (await keys.foreign()).privateKey;
      return key instanceof KeyObject ? key : KeyObject.from(key);
    })();
    return `${input}.${signatureOf(input, algorithm, signing).toString('base64url')}`;
  };
