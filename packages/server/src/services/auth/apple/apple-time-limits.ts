/** How long (ms) a sign-in waits for Apple. Tests replace them, so that the speed of a machine decides nothing. */
export interface AppleTimeLimits {
  /** For the key set of Apple. */
  readonly keysMs: number;
  /** For a newer key set while the key of the token is known. */
  readonly newerKeysMs: number;
  /** For the token endpoints. */
  readonly tokensMs: number;
  /** For DeviceCheck, all attempts of one sign-in together. */
  readonly deviceCheckMs: number;
}

export const productionAppleLimits: AppleTimeLimits = {
  keysMs: 5_000,
  newerKeysMs: 1_000,
  tokensMs: 3_000,
  deviceCheckMs: 2_000,
};
