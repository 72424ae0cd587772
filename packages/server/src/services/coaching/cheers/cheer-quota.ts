import { DomainError } from '../../../platform/edge/errors.ts';
import { dayMs } from '../../../domain/durations.ts';

/** In 24 hours. */
export const maxCheersPerDay = 30;

/** When a sender cheered in the last 24 hours (ms), with one more now. Throws `rate-limited`. */
export const withOneMoreCheer = (sentAt: readonly number[], now: number): number[] => {
  const recent = sentAt.filter((at) => at > now - dayMs);
  const [oldest] = recent;
  if (oldest !== undefined && recent.length >= maxCheersPerDay)
    throw new DomainError('rate-limited', {
      detail: `At most ${maxCheersPerDay} cheers in 24 hours.`,
      retryAfterSeconds: Math.max(1, Math.ceil((oldest + dayMs - now) / 1_000)),
    });
  return [...recent, now];
};
