import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const ivBytes = 12;
const tagBytes = 16;

/** 32 bytes each: the first seals and opens, the others only open (docs/adr/0011-two-master-keys.md). */
export type MasterKeys = readonly [current: Buffer, ...previous: Buffer[]];

/** What a secret is sealed for: its own row, so that it opens in no other. */
export const sealContexts = {
  appleRefreshToken: ({ userId, clientId }: { userId: string; clientId: string }) =>
    `apple-refresh-token:${userId}:${clientId}`,
  /** A token that waits for its revocation, without its person. */
  appleRevocation: (jobId: string) => `apple-revocation:${jobId}`,
  session: (sessionId: string) => `session:${sessionId}`,
  signingKey: (kid: string) => `signing-key:${kid}`,
} as const;

/** AES-256-GCM under the current master key: `iv | tag | ciphertext` in base64url; `context` is authenticated with it. */
export const seal = ([key]: MasterKeys, secret: Buffer, context: string): string => {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url');
};

/** Throws where the context or a bit of the sealed text is another one, and where no key is the right one. */
export const unseal = ([key, ...others]: MasterKeys, sealed: string, context: string): Buffer => {
  try {
    return unsealWith(key, sealed, context);
  } catch (error) {
    const [next, ...rest] = others;
    if (!next) throw error;
    return unseal([next, ...rest], sealed, context);
  }
};

/** The same secret under the current key; undefined where that one opens it already. Throws as `unseal`. */
export const reseal = (keys: MasterKeys, sealed: string, context: string): string | undefined => {
  try {
    unsealWith(keys[0], sealed, context);
    return undefined;
  } catch {
    return seal(keys, unseal(keys, sealed, context), context);
  }
};

/** Names the current master key without telling anything of it, so that a row says by which one it is sealed. */
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
