/** `off`: tokens are not looked at. `monitor`: they are asked about and nobody is refused. `enforce`: new accounts are. */
export type DeviceCheckMode = 'off' | 'monitor' | 'enforce';

/** Two bits that Apple keeps for each device and team of developers; they outlive the app and the owner (DC-5). */
export interface DeviceBits {
  /** Ours: this device made accounts that were closed for abuse. */
  readonly bit0: boolean;
  readonly bit1: boolean;
  /** `YYYY-MM`; null for a device without bits. */
  readonly lastUpdateTime: string | null;
}

const banMonths = 12;

/**
 * What the bits say now. A ban is believed for 12 months: phones are sold, and the meaning of a bit goes with its owner.
 *
 * isBanned({bit0: true, bit1: false, lastUpdateTime: '2025-10'}, October 2026) is true, in November 2026 false.
 */
export const isBanned = ({ bit0, lastUpdateTime }: DeviceBits, now: number): boolean => {
  const [, year, month] = /^(\d{4})-(\d{2})$/.exec(lastUpdateTime ?? '') ?? [];
  if (!bit0 || year === undefined || month === undefined) return false;
  const today = new Date(now);
  return (today.getUTCFullYear() - Number(year)) * 12 + today.getUTCMonth() + 1 - Number(month) <= banMonths;
};

/** `invalid`: no token of a device of this team, or one that was used for another sign-in. `unknown`: Apple is away. */
export type DeviceVerdict = 'clean' | 'banned' | 'invalid' | 'missing' | 'unknown';

/**
 * Whether a sign-in goes on. The signal is soft: it never keeps out somebody who has an account, whatever Apple or a
 * used phone says, and an outage of Apple only makes new accounts scarce.
 */
export const decideDevice = (
  mode: DeviceCheckMode,
  verdict: DeviceVerdict,
  isNewAccount: boolean,
): 'go on' | 'refuse' | 'count' => {
  if (mode !== 'enforce' || !isNewAccount || verdict === 'clean') return 'go on';
  return verdict === 'unknown' || verdict === 'missing' ? 'count' : 'refuse';
};
