import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../../platform/clock.ts';

const lifetimeSeconds = 60 * 60;
/** A secret with less left is not handed out: the call that takes it is still on its way. */
const renewBeforeSeconds = 5 * 60;

/** What Apple knows a team of developers by. */
export interface AppleTeam {
  readonly teamId: string;
  readonly keyId: string;
  /** PKCS #8 in PEM, P-256. */
  readonly privateKey: string;
}

/** The `client_secret` for an app, made here and good for an hour; the same one until shortly before its end (SIWA-7). */
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
    const held = secrets.get(clientId);
    const age = held ? now - held.issuedAt : Infinity;
    // A clock that was set back makes a secret of the future, which Apple refuses.
    if (held && age >= 0 && age < lifetimeSeconds - renewBeforeSeconds) return held.secret;
    const secret = mint(clientId, now);
    secrets.set(clientId, { secret, issuedAt: now });
    return secret;
  };
};
