import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../../../platform/clock.ts';

const minuteMs = 60_000;
/** Apple wants no new token within 20 minutes and none older than an hour. */
const slotMs = 40 * minuteMs;
const noNewMs = 20 * minuteMs;

export interface ApnsKey {
  readonly teamId: string;
  readonly keyId: string;
  /** PKCS #8 in PEM, P-256. */
  readonly privateKey: string;
}

export interface ProviderTokens {
  current(): Promise<string>;
  /** Another one than `used`; false where `used` is held and younger than 20 minutes, so that none may be made. */
  renew(used: Promise<string>): boolean;
  /** Keeps what is held for 20 minutes, whatever its age. */
  hold(): void;
}

/**
 * The token that says who sends (PUSH-2). Every process names the same instant in it, the last multiple of 40 minutes,
 * so that Apple sees one token of the team at a time and not one for each process.
 */
export const createProviderTokens = (apns: ApnsKey, clock: Clock): ProviderTokens => {
  const key = createPrivateKey(apns.privateKey);
  let held: { token: Promise<string>; issuedAt: number } | undefined;
  let heldUntil = -Infinity;

  const mint = (issuedAt: number) => {
    const token = new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: apns.keyId })
      .setIssuer(apns.teamId)
      .setIssuedAt(Math.floor(issuedAt / 1000))
      .sign(key);
    held = { token, issuedAt };
    return token;
  };

  return {
    current() {
      const now = clock.now();
      const slot = Math.floor(now / slotMs) * slotMs;
      const age = held ? now - held.issuedAt : Infinity;
      // A clock that was set back makes a token of the future, which Apple refuses.
      if (held && age >= 0 && (held.issuedAt >= slot || age < noNewMs || now < heldUntil)) return held.token;
      return mint(slot);
    },
    renew(used) {
      const now = clock.now();
      if (held && held.token !== used) return true;
      if (now < heldUntil || (held && now - held.issuedAt < noNewMs)) return false;
      void mint(now);
      return true;
    },
    hold() {
      heldUntil = clock.now() + noNewMs;
    },
  };
};
