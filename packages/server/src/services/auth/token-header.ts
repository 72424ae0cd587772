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
