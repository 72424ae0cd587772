import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { minuteMs, secondMs } from '../../../domain/durations.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { newSigningKey } from './new-signing-key.ts';
import { sealContexts, unseal, type MasterKeys } from './sealed.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';

/** Life of an access token. */
export const accessTtlMs = 15 * minuteMs;
/** A process reads keys that another one has published or promoted within this time. */
export const rereadAfterMs = 5 * secondMs;
/** Clocks may differ, and a process may sign with the old key until it has read the new one. */
const skewMs = minuteMs;
/** A retired key verifies until the last token that it can have signed has expired (SES-7). */
export const verifyRetiredMs = accessTtlMs + skewMs;

interface SigningKey {
  readonly kid: string;
  readonly retiredAt: number | null;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The keys that access tokens are signed and verified with, in memory. */
export interface SigningKeys {
  /**
   * Reads the keys, creates the first one on an empty database, and reads them again every 5 s, so that a rotation needs
   * no restart. Throws if the master key is not the one of this database.
   */
  start(): Promise<void>;
  stop(): Promise<void>;
  active(): SigningKey;
  /** Reads the keys again for an unknown `kid`, at most every 5 s. */
  find(kid: string): Promise<KeyObject | undefined>;
  /** The public halves (RFC 7517). */
  jwks(): { keys: (JWK & { kid: string; kty: string })[] };
}

/** Throws if no master key unseals it. */
export const openSigningKey = (
  masterKeys: MasterKeys,
  { kid, retiredAt, sealedKey }: StoredSigningKey,
): SigningKey => {
  let jwk: Buffer;
  try {
    jwk = unseal(masterKeys, sealedKey, sealContexts.signingKey(kid));
  } catch (cause) {
    throw new Error(
      'MASTER_KEY does not unseal the signing keys of this database. Start with the key that sealed them.',
      { cause },
    );
  }
  const privateKey = createPrivateKey({ key: JSON.parse(jwk.toString()) as never, format: 'jwk' });
  return { kid, retiredAt, privateKey, publicKey: createPublicKey(privateKey) };
};

export const createSigningKeys = (deps: {
  store: SigningKeyStore;
  clock: Clock;
  log: Logger;
  masterKeys: MasterKeys;
}): SigningKeys => {
  const { store, clock, log, masterKeys } = deps;
  let timer: NodeJS.Timeout | undefined;
  let keys = new Map<string, SigningKey>();
  let activeKid: string | undefined;
  let readAt = -Infinity;
  let reading: Promise<void> | undefined;

  /** Undefined, with a log line, if no master key unseals it; the other keys still verify. */
  const openOrSkip = (stored: StoredSigningKey): SigningKey | undefined => {
    try {
      return openSigningKey(masterKeys, stored);
    } catch (error) {
      log.error(
        { event: 'auth.signing_key_unopened', kid: stored.kid, err: error },
        'signing key cannot be unsealed; ignored',
      );
      return undefined;
    }
  };

  const readAll = async () => {
    const stored = await store.list();
    keys = new Map(
      stored.flatMap((one) => {
        // At the start every key has to be unsealed: otherwise this is the wrong master key.
        const key = readAt === -Infinity ? openSigningKey(masterKeys, one) : openOrSkip(one);
        return key ? [[key.kid, key]] : [];
      }),
    );
    activeKid = stored.find(({ state }) => state === 'active')?.kid;
    readAt = clock.now();
  };
  const read = () =>
    (reading ??= readAll().finally(() => {
      reading = undefined;
    }));

  const createFirst = async () => {
    await store.insertActive(await newSigningKey(masterKeys, clock.now()));
    await read();
  };

  const verifies = ({ retiredAt }: SigningKey) =>
    retiredAt === null || clock.now() < retiredAt + verifyRetiredMs;

  const reread = () => {
    read().catch((error: unknown) => {
      log.warn(
        { event: 'auth.signing_keys_unread', err: error },
        'reading the signing keys failed; will retry',
      );
    });
  };

  return {
    async start() {
      await read();
      if (activeKid === undefined) await createFirst();
      timer = setInterval(reread, rereadAfterMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await reading?.catch(() => undefined);
    },
    active() {
      const key = activeKid === undefined ? undefined : keys.get(activeKid);
      if (!key) throw new Error('There is no active signing key; auth has not started.');
      return key;
    },
    async find(kid) {
      const age = clock.now() - readAt;
      if (!keys.has(kid) && (age >= rereadAfterMs || age < 0)) await read();
      const key = keys.get(kid);
      return key && verifies(key) ? key.publicKey : undefined;
    },
    jwks: () => ({
      keys: [...keys.values()].filter(verifies).map(({ kid, publicKey }) => ({
        ...(publicKey.export({ format: 'jwk' }) as JWK & { kty: string }),
        kid,
        alg: 'ES256',
        use: 'sig',
      })),
    }),
  };
};
