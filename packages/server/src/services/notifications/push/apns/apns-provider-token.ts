import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { minuteMs } from '../../../../domain/durations.ts';
import type { Clock } from '../../../../platform/clock.ts';

/** APNs rejects tokens older than an hour, and more than one new token in 20 minutes. */
const slotMs = 40 * minuteMs;
const minAgeMs = 20 * minuteMs;

export interface ApnsKey {
  readonly teamId: string;
  readonly keyId: string;
  /** PKCS #8 in PEM, P-256. */
  readonly privateKey: string;
}

export interface ProviderTokens {
  current(): Promise<string>;
  /** Replaces `used`; false if it is the current one and younger than 20 minutes, so that none may be created. */
  renew(used: Promise<string>): boolean;
  /** Keeps the current token for 20 minutes, whatever its age. */
  hold(): void;
}

/**
 * The token that authenticates the sender (PUSH-2). Every process issues it at the same instant, the last multiple of 40
 * minutes, so that APNs sees one token of the team at a time and not one per process.
 */
export const createProviderTokens = (apns: ApnsKey, clock: Clock): ProviderTokens => {
  const key = createPrivateKey(apns.privateKey);
  let currentToken: { token: Promise<string>; issuedAt: number } | undefined;
  let keepUntil = -Infinity;

  const issue = (issuedAt: number) => {
    const token = new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: apns.keyId })
      .setIssuer(apns.teamId)
      .setIssuedAt(Math.floor(issuedAt / 1000))
      .sign(key);
    currentToken = { token, issuedAt };
    return token;
  };

  return {
    current() {
      const now = clock.now();
      const slot = Math.floor(now / slotMs) * slotMs;
      const age = currentToken ? now - currentToken.issuedAt : Infinity;
      // If the clock was set back, the token is from the future, which APNs rejects.
      if (currentToken && age >= 0 && (currentToken.issuedAt >= slot || age < minAgeMs || now < keepUntil))
        return currentToken.token;
      return issue(slot);
    },
    renew(used) {
      const now = clock.now();
      if (currentToken && currentToken.token !== used) return true;
      if (now < keepUntil || (currentToken && now - currentToken.issuedAt < minAgeMs)) return false;
      void issue(now);
      return true;
    },
    hold() {
      keepUntil = clock.now() + minAgeMs;
    },
  };
};
