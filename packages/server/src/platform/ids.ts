import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `length` characters of Crockford base32: five bits of chance each, no letters that look alike. */
export const randomCode = (length: number): string => codeOf(randomBytes(length));

const codeOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => crockford.charAt(byte & 31)).join('');

/** Where these bytes stand among ids: one character of the ids' own alphabet for each. */
export const idOfBytes = (bytes: Uint8Array): string => codeOf(bytes).toLowerCase();

/** An opaque id with 130 bits of chance; sorts nowhere, tells nothing. */
export const newId = (): string => randomCode(26).toLowerCase();

export const newUuid = (): string => randomUUID();

/** Always the same UUID for a text (RFC 9562, version 8), so that work that is repeated gives it again. */
export const uuidOf = (text: string): string => {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** `bytes` of chance in base64url. */
export const randomSecret = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** A whole number from 0 to `bound` - 1. */
export const randomBelow = (bound: number): number => randomInt(bound);
/** A number of chance, 0 to 1 without 1; for spreading retries, never for secrets. */
export const randomFraction = (): number => Math.random();
