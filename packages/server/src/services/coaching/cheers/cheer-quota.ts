import { quotaWindowMs, requireDailyQuota } from '../../../platform/limits/daily-quota.ts';

/** In 24 hours. */
const maxCheersPerDay = 30;

/** When a sender cheered in the last 24 hours (ms), with one more now. Throws `rate-limited`. */
export const withOneMoreCheer = (sentAt: readonly number[], now: number): number[] => {
  requireDailyQuota(sentAt, { max: maxCheersPerDay, what: 'cheers', now });
  return [...sentAt.filter((at) => at > now - quotaWindowMs), now];
};
