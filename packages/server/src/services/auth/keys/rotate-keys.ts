import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { newSigningKey } from './new-signing-key.ts';
import type { MasterKeys } from './sealed.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import { openSigningKey, rereadAfterMs, verifyRetiredMs } from './signing-keys.ts';

/** Three read intervals: one read may fail, one may be late. */
const publishedForMs = 3 * rereadAfterMs;

/**
 * Rotates the signing key of the access tokens (SES-7). The new key is published first and signs when every process has
 * read it; the old one verifies until its last token has expired, and is then removed. Running processes need no
 * restart. An interrupted rotation is resumed; of two concurrent ones, one has no effect.
 */
export const rotateSigningKeys = async (deps: {
  connection: Connection;
  clock: Clock;
  masterKeys: MasterKeys;
  wait: (ms: number) => Promise<void>;
  say: (line: string) => void;
}): Promise<{ kid: string }> => {
  const { connection, clock, masterKeys, wait, say } = deps;
  const store = createSigningKeyStore(connection);
  await store.ensureIndexes();
  // With another master key the new key could not be unsealed by any process.
  for (const stored of await store.list()) openSigningKey(masterKeys, stored);
  await store.removeRetired(clock.now() - verifyRetiredMs);

  await store.insertNext(await newSigningKey(masterKeys, clock.now()));
  const next = (await store.list()).find(({ state }) => state === 'next');
  if (!next) throw new Error('Another rotation has just finished; nothing changed.');
  say(`published ${next.kid}; it signs in ${publishedForMs / 1000} s`);
  await wait(publishedForMs);

  const promoted = await inTransaction(connection, async (tx) => {
    const isNext = await store.promote(next.kid, clock.now(), tx);
    if (!isNext) throw new Error(`Another rotation has promoted ${next.kid} concurrently.`);
    return next.kid;
  });
  say(`signing with ${promoted}; the previous key verifies for ${verifyRetiredMs / 60_000} minutes more`);
  return { kid: promoted };
};
