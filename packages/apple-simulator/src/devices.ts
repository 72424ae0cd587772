import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, compactVerify } from 'jose';
import { z } from 'zod';

/** The bits that Apple stores for a device. */
export interface DeviceState {
  bit0: boolean;
  bit1: boolean;
  /** `YYYY-MM`. */
  lastUpdateTime: string;
}

export interface DeviceAnswer {
  status: number;
  text: string;
}

export interface Devices {
  /** Sets the bits of the device of a token. */
  set(deviceToken: string, state: DeviceState): void;
  /** The next `times` queries are answered 401. */
  refuseProviderTokens(times: number): void;
  readonly queries: number;
  query(authorization: string | undefined, body: unknown): Promise<DeviceAnswer>;
}

const Query = z.object({
  device_token: z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/),
  transaction_id: z.uuid(),
  timestamp: z.number().int(),
});
const maxAgeSeconds = 60 * 60;

/** DeviceCheck's `query_two_bits`: JSON for a device with bits, plain text with 200 for one without. */
export const openDevices = (simulator: {
  teamId: string;
  now: () => number;
  key: string | KeyObject | undefined;
}): Devices => {
  const { teamId, now, key } = simulator;
  const devices = new Map<string, DeviceState>();
  let refusals = 0;
  let queries = 0;

  const isProvider = async (token: string): Promise<boolean> => {
    try {
      const { alg, kid } = decodeProtectedHeader(token);
      const { iss, iat = 0 } = decodeJwt(token);
      const age = now() / 1000 - iat;
      if (alg !== 'ES256' || !kid || iss !== teamId || age < -60 || age > maxAgeSeconds) return false;
      if (key !== undefined)
        await compactVerify(token, typeof key === 'string' ? createPublicKey(key) : key, {
          algorithms: ['ES256'],
        });
      return true;
    } catch {
      return false;
    }
  };

  return {
    set: (token, state) => void devices.set(token, state),
    refuseProviderTokens: (times) => {
      refusals = times;
    },
    get queries() {
      return queries;
    },
    async query(authorization, body) {
      queries += 1;
      if (refusals > 0 || !(await isProvider(authorization?.replace(/^Bearer /, '') ?? ''))) {
        refusals = Math.max(0, refusals - 1);
        return { status: 401, text: 'Unable to verify authorization token' };
      }
      const parsed = Query.safeParse(body);
      if (!parsed.success)
        return { status: 400, text: 'Missing or incorrectly formatted device token payload' };
      const device = devices.get(parsed.data.device_token);
      if (!device) return { status: 200, text: 'Failed to find bit state' };
      const { bit0, bit1, lastUpdateTime: last_update_time } = device;
      return { status: 200, text: JSON.stringify({ bit0, bit1, last_update_time }) };
    },
  };
};
