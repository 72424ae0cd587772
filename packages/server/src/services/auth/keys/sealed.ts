import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const ivBytes = 12;
const tagBytes = 16;

/** 32 bytes each: the first seals and unseals, the others only unseal (docs/adr/0011-two-master-keys.md). */
export type MasterKeys = readonly [current: Buffer, ...previous: Buffer[]];

/** The context of a sealed secret is its row, so that a value copied to another row cannot be unsealed. */
export const sealContexts = {
  appleRefreshToken: ({ userId, clientId }: { userId: string; clientId: string }) =>
    `apple-refresh-token:${userId}:${clientId}`,
  /** A token to be revoked, without a reference to its account. */
  appleRevocation: (jobId: string) => `apple-revocation:${jobId}`,
  session: (sessionId: string) => `session:${sessionId}`,
  signingKey: (kid: string) => `signing-key:${kid}`,
} as const;

/**
 * Sealing is authenticated encryption: AES-256-GCM under the current master key, `iv | tag | ciphertext` in base64url.
 * `context` is authenticated too.
 */
export const seal = ([key]: MasterKeys, secret: Buffer, context: string): string => {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url');
};

/** Throws if the context or the sealed text was changed, or no key matches. */
export const unseal = ([key, ...others]: MasterKeys, sealed: string, context: string): Buffer => {
  try {
    return unsealWith(key, sealed, context);
  } catch (error) {
    const [next, ...rest] = others;
    if (!next) throw error;
    return unseal([next, ...rest], sealed, context);
  }
};

/** The same secret under the current key; undefined if that key has sealed it. Throws like `unseal`. */
export const reseal = (keys: MasterKeys, sealed: string, context: string): string | undefined => {
  try {
    unsealWith(keys[0], sealed, context);
    return undefined;
  } catch {
    return seal(keys, unseal(keys, sealed, context), context);
  }
};

/** Identifies the current master key without revealing it; stored with what it seals. */
export const masterKeyId = ([key]: MasterKeys): string =>
  createHash('sha256').update('pufftrack master key id').update(key).digest('hex').slice(0, 8);

const unsealWith = (key: Buffer, sealed: string, context: string): Buffer => {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]);
};
