import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const ivBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM under the master key: `iv | tag | ciphertext` in base64url. `context` is authenticated with it, so that
 * what was sealed for one row opens in no other.
 */
export const seal = (masterKey: Buffer, secret: Buffer, context: string): string => {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', masterKey, iv).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url');
};

/** Throws where the key, the context or a bit of the sealed text is another one. */
export const unseal = (masterKey: Buffer, sealed: string, context: string): Buffer => {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]);
};

/** Names a master key without telling anything of it, so that a row says by which one it is sealed. */
export const masterKeyId = (masterKey: Buffer): string =>
  createHash('sha256').update('pufftrack master key id').update(masterKey).digest('hex').slice(0, 8);
