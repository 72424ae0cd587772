import type { JWTHeaderParameters } from 'jose';

/**
 * A header that says where its key is to be found, or that asks for an extension, is never followed and never right
 * (RFC 8725 section 3.10): neither Apple nor this server writes one.
 */
const refused = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip'];

/** The `kid` of a header that names its key and does nothing else; undefined otherwise. */
export const keyIdOf = (header: JWTHeaderParameters): string | undefined =>
  refused.some((field) => field in header) || typeof header.kid !== 'string' || header.kid === ''
    ? undefined
    : header.kid;

const base64url = /^[A-Za-z0-9_-]+$/;

/** What an unverified compact JWS says of itself. */
export interface JwsForm {
  readonly alg: unknown;
  readonly typ: unknown;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Characters of the signature. */
  readonly signatureLength: number;
}

/**
 * Reads the form of a compact JWS without verifying it, for some microseconds. Undefined where it is none: not three
 * parts of base64url, longer than `maxLength`, or with a header that `keyIdOf` refuses.
 */
export const readJwsForm = (token: string, maxLength: number): JwsForm | undefined => {
  if (token.length > maxLength) return undefined;
  const parts = token.split('.');
  const [head, body, signature] = parts;
  if (parts.length !== 3 || !parts.every((part) => base64url.test(part))) return undefined;
  const header = objectOf(head);
  const payload = objectOf(body);
  if (!header || !payload || keyIdOf(header as JWTHeaderParameters) === undefined) return undefined;
  return { alg: header['alg'], typ: header['typ'], payload, signatureLength: signature?.length ?? 0 };
};

const objectOf = (part = ''): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
};

/** The contract bounds both of them lower. */
const maxAppleJws = 16_384;

/** Whether a text has the form of what Apple signs: a JWS by RS256. */
export const isAppleJws = (text: string): boolean => readJwsForm(text, maxAppleJws)?.alg === 'RS256';
