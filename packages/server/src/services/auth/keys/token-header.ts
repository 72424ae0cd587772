import type { JWTHeaderParameters } from 'jose';

/**
 * Headers that name the location of their key or an extension are rejected (RFC 8725 section 3.10): neither Apple nor
 * this server sends them.
 */
const rejected = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip'];

/** The `kid` of a header without a rejected field; undefined otherwise. */
export const keyIdOf = (header: JWTHeaderParameters): string | undefined =>
  rejected.some((field) => field in header) || typeof header.kid !== 'string' || header.kid === ''
    ? undefined
    : header.kid;

const base64url = /^[A-Za-z0-9_-]+$/;

/** The unverified content of a compact JWS. */
export interface JwsForm {
  readonly alg: unknown;
  readonly typ: unknown;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Characters of the signature. */
  readonly signatureLength: number;
}

/**
 * Parses a compact JWS without verifying it, in some microseconds. Undefined if it is malformed: not three parts of
 * base64url, longer than `maxLength`, or with a header that `keyIdOf` rejects.
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

/** Whether a text has the form of an Apple token: a JWS with RS256. */
export const isAppleJws = (text: string): boolean => readJwsForm(text, maxAppleJws)?.alg === 'RS256';
