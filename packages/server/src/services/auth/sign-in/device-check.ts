/** `off`: tokens are ignored. `monitor`: they are checked and nothing is refused. `enforce`: new accounts may be refused. */
export type DeviceCheckMode = 'off' | 'monitor' | 'enforce';

/** Two bits that Apple stores per device and developer team; they outlive the app and the owner (DC-5). */
export interface DeviceBits {
  /** This device created accounts that were closed for abuse. */
  readonly bit0: boolean;
  readonly bit1: boolean;
  /** `YYYY-MM`; null for a device without bits. */
  readonly lastUpdateTime: string | null;
}

const banMonths = 12;

/**
 * Whether the bits are a ban. A ban expires after 12 months, because phones are sold to new owners.
 *
 * isBanned({bit0: true, bit1: false, lastUpdateTime: '2025-10'}, October 2026) is true, in November 2026 false.
 */
export const isBanned = ({ bit0, lastUpdateTime }: DeviceBits, now: number): boolean => {
  const [, year, month] = /^(\d{4})-(\d{2})$/.exec(lastUpdateTime ?? '') ?? [];
  if (!bit0 || year === undefined || month === undefined) return false;
  const today = new Date(now);
  return (today.getUTCFullYear() - Number(year)) * 12 + today.getUTCMonth() + 1 - Number(month) <= banMonths;
};

/** `invalid`: not a device token of this team, or used for another sign-in. `unknown`: Apple is unavailable. */
export type DeviceVerdict = 'clean' | 'banned' | 'invalid' | 'missing' | 'unknown';

/** `count`: accept within the rate limit of unchecked devices. */
export type DeviceDecision = 'accept' | 'refuse' | 'count';

/**
 * Decides on a sign-in. The signal is soft: it never rejects the sign-in of an existing account, and an outage of Apple
 * only rate-limits new accounts.
 */
export const decideDevice = (
  mode: DeviceCheckMode,
  verdict: DeviceVerdict,
  isNewAccount: boolean,
): DeviceDecision => {
  if (mode !== 'enforce' || !isNewAccount || verdict === 'clean') return 'accept';
  return verdict === 'unknown' || verdict === 'missing' ? 'count' : 'refuse';
};
