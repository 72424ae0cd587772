import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes, type KeyObject } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKeyPem: string;
}

export interface SigningKeys {
  current(): SigningKey;
  /** An unpublished key, for forged signatures. */
  foreign(): Promise<SigningKey>;
  /** The published keys in the format of Apple's `/auth/keys`. */
  jwks(): { keys: object[] };
  rotate(keepOld: boolean): Promise<SigningKey>;
}

const generateRsa = promisify(generateKeyPair);

const signingKey = (kid: string, privateKey: KeyObject): SigningKey => ({
  kid,
  privateKey,
  publicKeyPem: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
});

/** Ten characters, as Apple's are. */
const newKid = (): string => randomBytes(5).toString('hex').toUpperCase();

const newKey = async (): Promise<SigningKey> =>
  signingKey(newKid(), (await generateRsa('rsa', { modulusLength: 2048 })).privateKey);

const KeyFile = z.object({
  keys: z.array(z.looseObject({ kty: z.literal('RSA'), kid: z.string(), d: z.string() })).min(1),
});

const isAbsent = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';

const readKeys = async (path: string): Promise<SigningKey[]> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (text === undefined) return [];
  try {
    const { keys } = KeyFile.parse(JSON.parse(text));
    return keys.map(({ kid, ...jwk }) => signingKey(kid, createPrivateKey({ key: jwk, format: 'jwk' })));
  } catch (cause) {
    throw new Error(`${path} contains no keys of the Apple simulator; delete it to create new ones.`, {
      cause,
    });
  }
};

/** Replaces the file atomically: a process that is killed while writing leaves the old keys. */
const writeKeys = async (path: string, keys: SigningKey[]): Promise<void> => {
  const content = {
    keys: keys.map(({ kid, privateKey }) => ({ ...privateKey.export({ format: 'jwk' }), kid })),
  };
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(temporary, JSON.stringify(content), { mode: 0o600 });
  await rename(temporary, path);
};

const publicJwk = ({ kid, privateKey }: SigningKey): object => {
  const { kty, n, e } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { kty, kid, use: 'sig', alg: 'RS256', n, e };
};

/** The keys of a simulator, the signing one first. With a file, they survive a restart. */
export const openSigningKeys = async (file: string | undefined): Promise<SigningKeys> => {
  const kept = file === undefined ? [] : await readKeys(file);
  const [first = await newKey(), ...older] = kept;
  let current = first;
  let published = [first, ...older];
  let foreign: Promise<SigningKey> | undefined;
  if (file !== undefined && kept.length === 0) await writeKeys(file, published);

  return {
    current: () => current,
    foreign: () => (foreign ??= newKey()),
    jwks: () => ({ keys: published.map(publicJwk) }),
    rotate: async (keepOld) => {
      current = await newKey();
      published = [current, ...(keepOld ? published : [])];
      if (file !== undefined) await writeKeys(file, published);
      return current;
    },
  };
};
