import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { UnavailableError } from '../../../platform/concurrency/circuit-breaker.ts';
import { hourMs } from '../../../domain/durations.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { decideDevice, isBanned, type DeviceCheckMode, type DeviceVerdict } from './device-check.ts';
import type { AuthMetrics } from '../auth-metrics.ts';
import type { QueryDevice } from './device-check-api.ts';

/** New accounts per hour and process whose device could not be checked. */
const uncheckedPerHour = 60;
const maxCachedTokens = 20_000;

export interface DeviceChecks {
  /** Throws `device-refused`, or `rate-limited` for too many new accounts whose device could not be checked. */
  check(
    signIn: { deviceToken: string | undefined; nonceHash: string; isNewAccount: boolean },
    log: Logger,
  ): Promise<void>;
}

/** Checks the device of a sign-in. It keeps only hashes of tokens, and only in memory (DC-4). */
export const createDeviceCheckService = (deps: {
  mode: DeviceCheckMode;
  /** Undefined if the mode is off. */
  query: QueryDevice | undefined;
  clock: Clock;
  metrics: Pick<AuthMetrics, 'deviceUnknown'>;
}): DeviceChecks => {
  const { mode, query, clock, metrics } = deps;
  /** The nonce of each token: a sign-in may be retried, but another one may not reuse its token. */
  const nonceByToken = new LRUCache<string, string>({ max: maxCachedTokens });
  let unchecked = { count: 0, since: -Infinity };

  const evaluate = async (token: string, nonceHash: string, log: Logger): Promise<DeviceVerdict> => {
    const tokenHash = createHash('sha256').update(token).digest('base64url');
    const before = nonceByToken.get(tokenHash);
    nonceByToken.set(tokenHash, before ?? nonceHash);
    if (before !== undefined && before !== nonceHash) return 'invalid';
    try {
      const bits = await query?.(token);
      if (!bits) return 'invalid';
      return isBanned(bits, clock.now()) ? 'banned' : 'clean';
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      metrics.deviceUnknown();
      log.warn({ event: 'auth.device_check_unavailable', err: error }, 'DeviceCheck unavailable');
      return 'unknown';
    }
  };

  const countUnchecked = () => {
    const age = clock.now() - unchecked.since;
    if (age < 0 || age >= hourMs) unchecked = { count: 0, since: clock.now() };
    unchecked.count += 1;
    if (unchecked.count > uncheckedPerHour)
      throw new DomainError('rate-limited', {
        detail: 'Too many new accounts at the moment. Retry the same request later.',
        retryAfterSeconds: Math.max(1, Math.ceil((unchecked.since + hourMs - clock.now()) / 1000)),
      });
  };

  return {
    async check({ deviceToken, nonceHash, isNewAccount }, log) {
      if (mode === 'off') return;
      const verdict = deviceToken === undefined ? 'missing' : await evaluate(deviceToken, nonceHash, log);
      const decision = decideDevice(mode, verdict, isNewAccount);
      log.info({ event: 'auth.device_checked', verdict, decision, isNewAccount }, 'device checked');
      if (decision === 'refuse')
        throw new DomainError('device-refused', {
          detail: 'This device cannot create an account. Contact support for a review.',
        });
      if (decision === 'count') countUnchecked();
    },
  };
};
