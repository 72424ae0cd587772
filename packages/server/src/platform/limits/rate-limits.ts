import type { RateClass } from '@pufftrack/contract';
import type { Clock } from '../clock.ts';
import { DomainError } from '../errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RateCount, RateStore } from './rate-store.ts';

/** Who is counted: a person wherever one is known, so that a shared address keeps nobody out. */
export type RateScope = 'person' | 'address';

export interface RateState {
  readonly allowed: boolean;
  /** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). */
  readonly policy: string;
  readonly limit: string;
  readonly resetSeconds: number;
}

export interface RateLimits {
  /** Counts one call. Undefined where its class has no limit. */
  take(
    scope: RateScope,
    id: string,
    rateClass: RateClass,
  ): RateState | undefined | Promise<RateState | undefined>;
}

const windowMs = 60_000;

/**
 * Calls a minute. A person taps some dozen times an hour, and a phone that comes back after a week sends a few
 * batches; the figures leave ten times that. An address may be a whole mobile network.
 */
const quotas: Readonly<Record<Exclude<RateClass, 'none'>, number>> = {
  read: 600,
  write: 120,
  puffs: 600,
  socket: 120,
  auth: 600,
  public: 1_200,
  // Of one address, whatever the number of accounts there; a person has their twenty requests a day besides.
  guess: 60,
  refused: 300,
};

export const createRateLimits = (deps: {
  store: RateStore;
  clock: Clock;
  scale: number;
  metrics: Metrics;
}): RateLimits => {
  const { store, clock } = deps;
  const limited = deps.metrics.counter({
    name: 'rate_limited_total',
    help: 'Calls beyond their limit, by the class that counts them',
    labels: ['class'],
  });
  const quotaOf = (rateClass: keyof typeof quotas) => Math.max(1, Math.floor(quotas[rateClass] * deps.scale));

  const stateOf = (rateClass: keyof typeof quotas, { count, endsAt }: RateCount, now: number): RateState => {
    const quota = quotaOf(rateClass);
    if (count > quota) limited({ class: rateClass });
    const resetSeconds = Math.max(1, Math.ceil((endsAt - now) / 1000));
    return {
      allowed: count <= quota,
      policy: `"${rateClass}";q=${quota};w=${windowMs / 1000}`,
      limit: `"${rateClass}";r=${Math.max(0, quota - count)};t=${resetSeconds}`,
      resetSeconds,
    };
  };

  return {
    take(scope, id, rateClass) {
      if (rateClass === 'none') return undefined;
      const now = clock.now();
      const counted = store.hit(`${rateClass} ${scope} ${id}`, windowMs, now);
      return counted instanceof Promise
        ? counted.then((count) => stateOf(rateClass, count, now))
        : stateOf(rateClass, counted, now);
    },
  };
};

/** What a call beyond its limit is answered. */
export const rateLimited = ({ resetSeconds }: RateState) =>
  new DomainError('rate-limited', {
    detail: `Too many calls. Send the same request again in ${resetSeconds} s.`,
    retryAfterSeconds: resetSeconds,
  });
