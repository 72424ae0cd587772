import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { dayMs, minuteMs, secondMs } from '../../../domain/durations.ts';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import { fetchText } from '../../../platform/http/fetch-text.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { AuthMetrics } from '../auth-metrics.ts';
import { productionAppleLimits, type AppleTimeLimits } from './apple-time-limits.ts';

/** Apple's keys are fetched again after this time. */
const maxAgeMs = 10 * minuteMs;
/** Keys are used this long while Apple is unreachable. */
const keepMs = dayMs;
const cooldownMs = 30 * secondMs;
const retryFirstAfterMs = 5 * secondMs;
/** Apple tolerates a minute; beyond it client secrets and identity tokens fail (SIWA-7). */
const clockToleranceMs = minuteMs;
const maxAnswerBytes = 64 * 1024;

const KeySet = z.object({ keys: z.array(z.unknown()).max(50) });
const RsaKey = z.object({
  kty: z.literal('RSA'),
  kid: z.string().min(1).max(128),
  use: z.literal('sig').optional(),
  alg: z.literal('RS256').optional(),
  n: z.string().max(2048),
  e: z.string().max(16),
});

/** The public keys that Apple signs identity tokens with. */
export interface AppleKeys {
  /** Undefined if Apple has no such key; throws `apple-unavailable` if Apple is unreachable. */
  find(kid: string): Promise<KeyObject | undefined>;
  /** Fetches the keys in the background; logs a wrong clock or an unreachable Apple. */
  prefetch(): void;
}

/**
 * Apple's key set, cached in memory (SIWA-5). At most one fetch runs at a time. A cached set is fetched again at most
 * once in 30 s, whatever key ids clients send; without one, each sign-in may fetch.
 * jose's remote set drops its keys when a fetch fails, and has no cooldown after a failure.
 */
export const createAppleKeys = (deps: {
  url: string;
  clock: Clock;
  log: Logger;
  metrics: Pick<AuthMetrics, 'appleUnavailable'>;
  limits?: Pick<AppleTimeLimits, 'keysMs' | 'newerKeysMs'> | undefined;
}): AppleKeys => {
  const { url, clock, log, metrics, limits = productionAppleLimits } = deps;
  let keys: ReadonlyMap<string, KeyObject> | undefined;
  let fetchedAt = -Infinity;
  let triedAt = -Infinity;
  let fetching: Promise<void> | undefined;

  /** Also true after the clock was set back. */
  const hasElapsed = (ms: number, since: number) => {
    const age = clock.now() - since;
    return age >= ms || age < 0;
  };
  const cached = () => (hasElapsed(keepMs, fetchedAt) ? undefined : keys);

  const compareClocks = (date: string | null) => {
    const aheadMs = clock.now() - Date.parse(date ?? '');
    if (!(Math.abs(aheadMs) > clockToleranceMs)) return; // also if Apple sent no date
    const seconds = Math.round(Math.abs(aheadMs) / secondMs);
    log.warn(
      { event: 'auth.clock_off', seconds, direction: aheadMs > 0 ? 'ahead' : 'behind' },
      `system clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} Apple's; sign-ins fail until it is corrected`,
    );
  };

  const refetch = async () => {
    triedAt = clock.now();
    try {
      const fetched = await fetchKeys(url, limits.keysMs);
      keys = fetched.keys;
      fetchedAt = triedAt;
      compareClocks(fetched.date);
    } catch (error) {
      metrics.appleUnavailable('keys');
      log.warn({ event: 'auth.apple_keys_unavailable', err: error }, 'fetching the Apple public keys failed');
    }
  };
  const refresh = (): Promise<void> =>
    (fetching ??= refetch().finally(() => {
      fetching = undefined;
    }));
  const mayFetch = () => fetching !== undefined || !cached() || hasElapsed(cooldownMs, triedAt);

  return {
    prefetch() {
      void refresh();
    },
    async find(kid) {
      const known = cached()?.get(kid);
      if (known && !hasElapsed(maxAgeMs, fetchedAt)) return known;
      if (mayFetch()) {
        // A stalled Apple does not delay sign-ins with a known key.
        if (known) await Promise.race([refresh(), pause(limits.newerKeysMs, undefined, { ref: false })]);
        else await refresh();
      }
      const key = cached()?.get(kid);
      if (key || (cached() && fetchedAt === triedAt)) return key;
      const retryAfterMs = cached() ? cooldownMs - (clock.now() - triedAt) : retryFirstAfterMs;
      throw new DomainError('apple-unavailable', {
        detail: 'Apple cannot be reached to check the identity token. Send the same request again.',
        retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / secondMs)),
      });
    },
  };
};

const fetchKeys = async (
  url: string,
  timeoutMs: number,
): Promise<{ keys: ReadonlyMap<string, KeyObject>; date: string | null }> => {
  const answer = await fetchText(
    url,
    { headers: { accept: 'application/json' } },
    { timeoutMs, maxBytes: maxAnswerBytes },
  );
  if (answer.status !== 200) throw new Error(`Apple answered ${answer.status}`);
  const set = KeySet.parse(JSON.parse(answer.text));
  const keys = new Map<string, KeyObject>();
  for (const candidate of set.keys) {
    const key = toKey(candidate);
    if (key) keys.set(key.kid, key.key);
  }
  if (keys.size === 0) throw new Error('Apple answered without a usable key');
  return { keys, date: answer.date };
};

/** Undefined for keys of another kind, which the set may contain. */
const toKey = (candidate: unknown): { kid: string; key: KeyObject } | undefined => {
  const parsed = RsaKey.safeParse(candidate);
  if (!parsed.success) return undefined;
  const { kid, kty, n, e } = parsed.data;
  try {
    const key = createPublicKey({ key: { kty, n, e } satisfies JsonWebKey, format: 'jwk' });
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? { kid, key } : undefined;
  } catch {
    return undefined;
  }
};
