import type { Connection } from 'mongoose';
import type { Clock } from '../../../platform/clock.ts';
import { inTransaction } from '../../../platform/mongo/transaction.ts';
import { newSigningKey } from './new-signing-key.ts';
import type { MasterKeys } from './sealed.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import { openSigningKey, rereadAfterMs, verifyRetiredMs } from './signing-keys.ts';

/** Three times what a process takes to read the keys again: one look may fail, one may be late. */
const publishedForMs = 3 * rereadAfterMs;

/**
 * Gives the access tokens a new signing key (SES-7). The key is published first and signs once every process must have
 * read it; the old one verifies until its last token has run out, and then goes. Running processes follow by
 * themselves. A rotation that was cut off is taken up where it stood; of two at once one does nothing.
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
  // With another master key it would put a key in force that no process opens.
  for (const stored of await store.list()) openSigningKey(masterKeys, stored);
  await store.removeRetired(clock.now() - verifyRetiredMs);

  await store.insertNext(await newSigningKey(masterKeys, clock.now()));
  const next = (await store.list()).find(({ state }) => state === 'next');
  if (!next) throw new Error('Another rotation has just finished; nothing was changed.');
  say(`published ${next.kid}; it signs in ${publishedForMs / 1000} s`);
  await wait(publishedForMs);

  const promoted = await inTransaction(connection, async (tx) => {
    const isNext = await store.promote(next.kid, clock.now(), tx);
    if (!isNext) throw new Error(`Another rotation has promoted ${next.kid} meanwhile.`);
    return next.kid;
  });
  say(`signing with ${promoted}; the key before it verifies for ${verifyRetiredMs / 60_000} minutes more`);
  return { kid: promoted };
};
