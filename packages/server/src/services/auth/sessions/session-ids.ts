import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { idOfBytes } from '../../../platform/ids.ts';
import type { MasterKeys } from '../keys/sealed.ts';

const form = /^[0-9a-z]{26}$/;
const randomLength = 20;
const checkLength = 6;

/**
 * Authenticated session ids: 100 random bits, then 30 bits of a MAC over them. A client cannot forge one, so tokens with
 * a valid id have a failure budget of their own: forged tokens from a shared address (a mobile network) do not lock out
 * its other clients. Ids without a valid MAC (older sessions, or a replaced master key) work too, but share the budget
 * of their address at a process that does not know them yet (`Authenticator.isProven`).
 */
export interface SessionIds {
  create(): string;
  /** Whether this server created the id; the session need not exist. */
  isProven(id: string): boolean;
}

export const createSessionIds = (masterKeys: MasterKeys): SessionIds => {
  const keys = masterKeys.map((key) => createHmac('sha256', key).update('session ids').digest());
  const checkOf = (random: string, key: Buffer) =>
    idOfBytes(createHmac('sha256', key).update(random).digest().subarray(0, checkLength));
  return {
    create() {
      const random = idOfBytes(randomBytes(randomLength));
      const [key] = keys;
      if (!key) throw new Error('There is no master key.');
      return `${random}${checkOf(random, key)}`;
    },
    isProven(id) {
      if (!form.test(id)) return false;
      const [random, check] = [id.slice(0, randomLength), Buffer.from(id.slice(randomLength))];
      return keys.some((key) => timingSafeEqual(Buffer.from(checkOf(random, key)), check));
    },
  };
};
