import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import {
  createCircuitBreaker,
  UnavailableError,
  type BreakerWatch,
} from '../../../platform/concurrency/circuit-breaker.ts';
import { minuteMs } from '../../../domain/durations.ts';
import type { Clock } from '../../../platform/clock.ts';
import { fetchText, type TextAnswer } from '../../../platform/http/fetch-text.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { AppleTeam } from '../apple/apple-client-secret.ts';
import { productionAppleLimits, type AppleTimeLimits } from '../apple/apple-time-limits.ts';
import type { DeviceBits } from './device-check.ts';

const maxBytes = 8 * 1024;
/** Apple wants a token reused for at least 20 minutes, and rejects one older than an hour. */
const providerTokenMs = 40 * minuteMs;

const Bits = z.object({
  bit0: z.boolean(),
  bit1: z.boolean(),
  last_update_time: z.string().regex(/^\d{4}-\d{2}$/),
});

/** Throws UnavailableError if Apple gives no usable answer; undefined if the token is not one of this team. */
export type QueryDevice = (deviceToken: string) => Promise<DeviceBits | undefined>;

/** Apple's DeviceCheck, `query_two_bits` (DC-1 to DC-4). The token is sent only to Apple. */
export const createDeviceCheckApi = (deps: {
  baseUrl: string;
  team: AppleTeam;
  clock: Clock;
  watch?: BreakerWatch;
  limits?: Pick<AppleTimeLimits, 'deviceCheckMs'> | undefined;
}): QueryDevice => {
  const { team, clock, limits = productionAppleLimits } = deps;
  const key = createPrivateKey(team.privateKey);
  const breaker = createCircuitBreaker({
    name: 'DeviceCheck',
    clock,
    failures: 3,
    openMs: 30_000,
    maxInFlight: 50,
    ...(deps.watch && { watch: deps.watch }),
  });
  let cached: { token: Promise<string>; issuedAt: number } | undefined;

  const providerToken = () => {
    const now = clock.now();
    const age = cached ? now - cached.issuedAt : Infinity;
    if (cached && age >= 0 && age < providerTokenMs) return cached.token;
    const token = new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: team.keyId })
      .setIssuer(team.teamId)
      .setIssuedAt(Math.floor(now / 1000))
      .sign(key);
    cached = { token, issuedAt: now };
    return token;
  };

  const query = async (deviceToken: string, deadline: number): Promise<TextAnswer> => {
    const timeoutMs = Math.floor(deadline - performance.now());
    if (timeoutMs <= 0) throw new UnavailableError('DeviceCheck did not answer in time');
    const body = { device_token: deviceToken, transaction_id: newUuid(), timestamp: clock.now() };
    return fetchText(
      `${deps.baseUrl}/v1/query_two_bits`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${await providerToken()}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      },
      { timeoutMs, maxBytes },
    ).catch((cause: unknown) => {
      throw new UnavailableError('DeviceCheck did not answer', { cause });
    });
  };

  return (deviceToken) =>
    breaker.run(async () => {
      const deadline = performance.now() + limits.deviceCheckMs;
      let answer = await query(deviceToken, deadline);
      if (answer.status === 401) cached = undefined; // the provider token is replaced once
      if (answer.status === 401 || answer.status === 429 || answer.status >= 500)
        answer = await query(deviceToken, deadline);
      if (answer.status === 400) return undefined;
      if (answer.status !== 200) throw new UnavailableError(`DeviceCheck answered ${answer.status}`);
      return bitsOf(answer.text);
    });
};

/** For a device without bits Apple answers 200 with plain text (DC-3). */
const bitsOf = (text: string): DeviceBits => {
  if (/failed to find bit state|bit state not found/i.test(text))
    return { bit0: false, bit1: false, lastUpdateTime: null };
  const parsed = Bits.safeParse(parseJson(text));
  if (!parsed.success) throw new UnavailableError('DeviceCheck answered without bits');
  const { bit0, bit1, last_update_time: lastUpdateTime } = parsed.data;
  return { bit0, bit1, lastUpdateTime };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
