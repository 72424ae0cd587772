import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { idOfBytes } from '../../../platform/ids.ts';
import type { MasterKeys } from '../keys/sealed.ts';

const form = /^[0-9a-z]{26}$/;
const randomLength = 20;
const checkLength = 6;

/**
 * Ids of sessions that prove themselves: 100 random bits, then 30 bits of a MAC over them. A client that does not hold
 * a token of a session cannot invent its id, so tokens that name one need not share the failures of their address: a
 * neighbour who floods a mobile network's address with forged tokens locks out nobody there. Ids without a valid MAC
 * (sessions from before this form, or from before the master key was changed) work as well, but share that budget.
 */
export interface SessionIds {
  create(): string;
  /** Whether this server made the id. Says nothing of whether the session exists. */
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
