import type { RateClass } from '@pufftrack/contract';
import type { Clock } from '../clock.ts';
import { DomainError } from '../edge/errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RateCount, RateStore } from './rate-store.ts';

/** What a call is counted for: a person or a session where one is known, so that clients of one address do not lock each other out. */
export type RateScope = 'person' | 'session' | 'address';

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
  /** The state of a quota that is used up; undefined while there is room. Counts nothing. */
  exhausted(scope: RateScope, id: string, rateClass: RateClass): RateState | undefined;
}

const windowMs = 60_000;

type CountedClass = Exclude<RateClass, 'none'>;

/**
 * Calls a minute. A person taps some dozen times an hour, and a phone that was offline for a week sends a few
 * batches; the figures leave ten times that. An address may be a whole mobile network: what counts for it alone has room
 * for thousands of people, and no call of a signed-in person or session waits for a neighbour's (docs/adr/0020-admission-before-cost.md).
 */
const quotas: Readonly<Record<CountedClass, number | Readonly<Partial<Record<RateScope, number>>>>> = {
  read: 600,
  write: 120,
  puffs: 600,
  socket: 120,
  // WebSocket upgrades of one address, before any token is read.
  connect: 3_000,
  // A phone refreshes every 15 minutes, and once more for each answer that it has lost.
  session: 60,
  // One small write each.
  nonce: 3_000,
  'sign-in': 1_200,
  // Apple's own addresses alone.
  webhook: 600,
  // Answered from memory: refusing such a call costs as much as answering it.
  public: 6_000,
  // A person has twenty friend requests a day besides. The address takes thirty times a person's share, so that one
  // account cannot use it up.
  guess: { person: 20, address: 600 },
  refused: 300,
  'bad-request': 1_200,
};

const quotaFor = (rateClass: CountedClass, scope: RateScope): number => {
  const quota = quotas[rateClass];
  return typeof quota === 'number' ? quota : (quota[scope] ?? Infinity);
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
  const quotaOf = (rateClass: CountedClass, scope: RateScope) =>
    Math.max(1, Math.floor(quotaFor(rateClass, scope) * deps.scale));
  const keyOf = (scope: RateScope, id: string, rateClass: CountedClass) => `${rateClass} ${scope} ${id}`;

  const stateOf = (
    rateClass: CountedClass,
    quota: number,
    { count, endsAt }: RateCount,
    now: number,
  ): RateState => {
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
      const quota = quotaOf(rateClass, scope);
      const counted = store.hit(keyOf(scope, id, rateClass), windowMs, now);
      return counted instanceof Promise
        ? counted.then((count) => stateOf(rateClass, quota, count, now))
        : stateOf(rateClass, quota, counted, now);
    },
    exhausted(scope, id, rateClass) {
      if (rateClass === 'none') return undefined;
      const now = clock.now();
      const quota = quotaOf(rateClass, scope);
      const known = store.peek(keyOf(scope, id, rateClass), windowMs, now);
      if (!known || known.count < quota) return undefined;
      return stateOf(rateClass, quota, { count: quota + 1, endsAt: known.endsAt }, now);
    },
  };
};

/** What a call beyond its limit is answered. */
export const rateLimited = ({ resetSeconds }: Pick<RateState, 'resetSeconds'>) =>
  new DomainError('rate-limited', {
    detail: `Too many calls. Send the same request again in ${resetSeconds} s.`,
    retryAfterSeconds: resetSeconds,
  });
