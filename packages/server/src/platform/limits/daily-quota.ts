import { dayMs } from '../../domain/durations.ts';
import { DomainError } from '../edge/errors.ts';

/** A daily quota counts the uses of the last 24 hours, so no midnight and no time zone matters. */
export const quotaWindowMs = dayMs;

/**
 * Throws `rate-limited` where the last 24 hours already contain `max` uses; `Retry-After` names the moment at which the
 * next use is allowed.
 *
 * @param usedAt instants (ms) of the previous uses, oldest first; uses older than 24 hours are ignored.
 * @param what the counted thing in the plural, for the problem detail, for example `friend requests`.
 */
export const requireDailyQuota = (
  usedAt: readonly number[],
  { max, what, now }: { readonly max: number; readonly what: string; readonly now: number },
): void => {
  const recent = usedAt.filter((at) => at > now - quotaWindowMs);
  const nextToExpire = recent.at(-max);
  if (nextToExpire !== undefined)
    throw quotaExceeded(
      `At most ${max} ${what} are allowed in 24 hours.`,
      nextToExpire + quotaWindowMs - now,
    );
};

/** `rate-limited` for a quota that has room again in `waitMs`. */
export const quotaExceeded = (detail: string, waitMs: number): DomainError =>
  new DomainError('rate-limited', { detail, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
