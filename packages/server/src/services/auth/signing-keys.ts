import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Clock } from '../../platform/clock.ts';
import { seal, unseal } from './sealed.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';

const rereadAfterMs = 5_000;

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The keys that access tokens are signed and verified with, in memory. */
export interface SigningKeys {
  /** Reads them, and makes the first one on an empty database. Throws where the master key is another one. */
  start(): Promise<void>;
  active(): SigningKey;
  /** Reads them again for a key that another process may have made, at most every 5 s. */
  find(kid: string): Promise<KeyObject | undefined>;
  /** The public halves (RFC 7517). */
  jwks(): { keys: (JWK & { kid: string; kty: string })[] };
}

export const createSigningKeys = (deps: {
  store: SigningKeyStore;
  clock: Clock;
  masterKey: Buffer;
}): SigningKeys => {
  const { store, clock, masterKey } = deps;
  let keys = new Map<string, SigningKey>();
  let activeKid: string | undefined;
  let readAt = -Infinity;
  let reading: Promise<void> | undefined;

  const open = ({ kid, sealedKey }: StoredSigningKey): SigningKey => {
    let jwk: Buffer;
    try {
      jwk = unseal(masterKey, sealedKey, contextOf(kid));
    } catch (cause) {
      throw new Error(
        'MASTER_KEY does not open the signing keys of this database. Start with the key it was first started with.',
        { cause },
      );
    }
    const privateKey = createPrivateKey({ key: JSON.parse(jwk.toString()) as never, format: 'jwk' });
    return { kid, privateKey, publicKey: createPublicKey(privateKey) };
  };

  const readAll = async () => {
    const stored = await store.list();
    keys = new Map(stored.map((key) => [key.kid, open(key)]));
    activeKid = stored.find(({ state }) => state === 'active')?.kid;
    readAt = clock.now();
  };
  const read = () =>
    (reading ??= readAll().finally(() => {
      reading = undefined;
    }));

  const makeFirst = async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const kid = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
    const jwk = Buffer.from(JSON.stringify(privateKey.export({ format: 'jwk' })));
    await store.insertActive({
      kid,
      createdAt: clock.now(),
      sealedKey: seal(masterKey, jwk, contextOf(kid)),
    });
    await read();
  };

  return {
    async start() {
      await read();
      if (activeKid === undefined) await makeFirst();
    },
    active() {
      const key = activeKid === undefined ? undefined : keys.get(activeKid);
      if (!key) throw new Error('There is no active signing key; auth has not started.');
      return key;
    },
    async find(kid) {
      const age = clock.now() - readAt;
      if (!keys.has(kid) && (age >= rereadAfterMs || age < 0)) await read();
      return keys.get(kid)?.publicKey;
    },
    jwks: () => ({
      keys: [...keys.values()].map(({ kid, publicKey }) => ({
        ...(publicKey.export({ format: 'jwk' }) as JWK & { kty: string }),
        kid,
        alg: 'ES256',
        use: 'sig',
      })),
    }),
  };
};

const contextOf = (kid: string) => `signing-key:${kid}`;
