import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../../platform/clock.ts';

const lifetimeSeconds = 60 * 60;
/** A secret with less time left is not used, because the call may take a while. */
const renewBeforeSeconds = 5 * 60;

/** The credentials of a developer team at Apple. */
export interface AppleTeam {
  readonly teamId: string;
  readonly keyId: string;
  /** PKCS #8 in PEM, P-256. */
  readonly privateKey: string;
}

/** The `client_secret` of an app, valid for an hour and reused until shortly before it expires (SIWA-7). */
export type ClientSecretFor = (clientId: string) => Promise<string>;

export const createClientSecrets = (team: AppleTeam, clock: Clock): ClientSecretFor => {
  const key = createPrivateKey(team.privateKey);
  const secrets = new Map<string, { secret: Promise<string>; issuedAt: number }>();

  const mint = (clientId: string, issuedAt: number) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: team.keyId })
      .setIssuer(team.teamId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .setAudience('https://appleid.apple.com')
      .setSubject(clientId)
      .sign(key);

  return (clientId) => {
    const now = Math.floor(clock.now() / 1000);
    const cached = secrets.get(clientId);
    const age = cached ? now - cached.issuedAt : Infinity;
    // After the clock was set back, a secret is issued in the future, which Apple rejects.
    if (cached && age >= 0 && age < lifetimeSeconds - renewBeforeSeconds) return cached.secret;
    const secret = mint(clientId, now);
    secrets.set(clientId, { secret, issuedAt: now });
    return secret;
  };
};
