import type { AppleTeam } from './apple/apple-client-secret.ts';
import type { AppleTimeLimits } from './apple/apple-time-limits.ts';
import type { MasterKeys } from './keys/sealed.ts';
import type { DeviceCheckMode } from './sign-in/device-check.ts';

export interface AuthConfig {
  /** Apple's keys are fetched from `/auth/keys` under it. */
  readonly appleBaseUrl: string;
  readonly appleIssuers: readonly string[];
  /** The accepted audiences of identity tokens: bundle ids. */
  readonly appleClientIds: readonly string[];
  /** Undefined: authorization codes are not redeemed, and nothing is revoked at Apple. */
  readonly appleTeam: AppleTeam | undefined;
  readonly deviceCheckMode: DeviceCheckMode;
  /** DeviceCheck's host; unused if the mode is `off`. */
  readonly deviceCheckBaseUrl: string;
  /** Default: those of production. */
  readonly appleTimeLimits?: AppleTimeLimits | undefined;
  /** `iss` of the access tokens. */
  readonly publicUrl: string;
  /** 32 bytes. */
  readonly masterKey: Buffer;
  /** Opens what it has sealed, and seals nothing. */
  readonly previousMasterKey?: Buffer | undefined;
}

/** The configured master keys; the first one seals. */
export const masterKeysOf = (config: Pick<AuthConfig, 'masterKey' | 'previousMasterKey'>): MasterKeys => [
  config.masterKey,
  ...(config.previousMasterKey ? [config.previousMasterKey] : []),
];
