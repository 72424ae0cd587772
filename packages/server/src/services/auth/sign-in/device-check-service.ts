import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { UnavailableError } from '../../../platform/concurrency/circuit-breaker.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { decideDevice, isBanned, type DeviceCheckMode, type DeviceVerdict } from './device-check.ts';
import type { AuthMetrics } from '../auth-metrics.ts';
import type { QueryDevice } from './device-check-api.ts';

/** New accounts an hour and process whose device nobody can vouch for. */
const uncheckedPerHour = 60;
const hourMs = 60 * 60_000;
const maxRemembered = 20_000;

export interface DeviceGate {
  /** Throws `device-refused`, or `rate-limited` where too many new accounts come without a word of Apple. */
  admit(
    signIn: { deviceToken: string | undefined; nonceHash: string; isNewAccount: boolean },
    log: Logger,
  ): Promise<void>;
}

/** What DeviceCheck has to say about a sign-in. It holds hashes of tokens, in memory alone (DC-4). */
export const createDeviceGate = (deps: {
  mode: DeviceCheckMode;
  /** Undefined where the mode is off. */
  query: QueryDevice | undefined;
  clock: Clock;
  metrics: Pick<AuthMetrics, 'deviceUnknown'>;
}): DeviceGate => {
  const { mode, query, clock, metrics } = deps;
  /** Which nonce a token came with: the same sign-in may be sent again, another one may not use it. */
  const usedFor = new LRUCache<string, string>({ max: maxRemembered });
  let unchecked = { count: 0, since: -Infinity };

  const verdictOn = async (token: string, nonceHash: string, log: Logger): Promise<DeviceVerdict> => {
    const tokenHash = createHash('sha256').update(token).digest('base64url');
    const before = usedFor.get(tokenHash);
    usedFor.set(tokenHash, before ?? nonceHash);
    if (before !== undefined && before !== nonceHash) return 'invalid';
    try {
      const bits = await query?.(token);
      if (!bits) return 'invalid';
      return isBanned(bits, clock.now()) ? 'banned' : 'clean';
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      metrics.deviceUnknown();
      log.warn({ event: 'auth.device_check_unavailable', err: error }, 'a device could not be checked');
      return 'unknown';
    }
  };

  const countUnchecked = () => {
    const age = clock.now() - unchecked.since;
    if (age < 0 || age >= hourMs) unchecked = { count: 0, since: clock.now() };
    unchecked.count += 1;
    if (unchecked.count > uncheckedPerHour)
      throw new DomainError('rate-limited', {
        detail: 'Too many new accounts at the moment. Send the same request again later.',
        retryAfterSeconds: Math.max(1, Math.ceil((unchecked.since + hourMs - clock.now()) / 1000)),
      });
  };

  return {
    async admit({ deviceToken, nonceHash, isNewAccount }, log) {
      if (mode === 'off') return;
      const verdict = deviceToken === undefined ? 'missing' : await verdictOn(deviceToken, nonceHash, log);
      const decision = decideDevice(mode, verdict, isNewAccount);
      log.info({ event: 'auth.device_checked', verdict, decision, isNewAccount }, 'device checked');
      if (decision === 'refuse')
        throw new DomainError('device-refused', {
          detail: 'This device cannot make a new account. Write to the support to have a person look at it.',
        });
      if (decision === 'count') countUnchecked();
    },
  };
};
