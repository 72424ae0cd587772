import type { KeyObject } from 'node:crypto';
import { openAuthorizations, subjectOf } from './authorizations.ts';
import type { AppleAuthorization, AuthorizationRequest } from './authorizations.ts';
import type { Barrier } from './barrier.ts';
import { openDevices, type Devices } from './devices.ts';
import { listenHttp, type Outage } from './http-server.ts';
import { identityTokenMinter, type IdentityTokenOverrides } from './identity-token.ts';
import { notificationMinter, type MintNotification } from './notifications.ts';
import { openSigningKeys } from './signing-keys.ts';

export interface AppleSimulatorOptions {
  /** Milliseconds since the epoch; every `iat`, `exp` and code lifetime is counted on this clock. */
  now: () => number;
  /** A loopback address; 127.0.0.1 when absent. */
  host?: string | undefined;
  /** 0 (the default) takes a free port. */
  port?: number | undefined;
  /** Subjects are per team (SIWA-15), and a client secret is issued by this team. */
  teamId?: string | undefined;
  /** `iss` of the tokens. */
  issuer?: string | undefined;
  /** Keeps the signing keys, mode 0600, so that tokens of a restarted development server still verify. */
  keyFile?: string | undefined;
  /** The public half (PEM or key) of what client secrets are signed with; absent: signatures go unchecked. */
  clientSecretKey?: string | KeyObject | undefined;
  /** True makes the start fail: a simulator must never vouch for a real person. */
  production?: boolean | undefined;
}

export interface AppleSimulator {
  /** What `APPLE_BASE_URL` is set to, without a slash at the end. */
  readonly baseUrl: string;
  /** The PEM (SPKI) of the key that signs now. */
  readonly publicKeyPem: string;
  /** Its `kid`. */
  readonly keyId: string;
  /** `GET /auth/keys` received, during an outage too; a refused connection carries no request to count. */
  readonly keyFetches: number;
  /** Authorization codes redeemed for tokens. */
  readonly codeExchanges: number;
  /** The tokens of the accepted `POST /auth/revoke`, in order; a repeated call repeats its token. */
  readonly revokedTokens: readonly string[];
  /** The stable `sub` that a person has for this team. */
  subjectOf(person: string): string;
  /** What the phone's native sheet hands to the app once the person has agreed. */
  authorize(request: AuthorizationRequest): Promise<AppleAuthorization>;
  /** A token that need not be right; see {@link IdentityTokenOverrides}. */
  mintIdentityToken(overrides: IdentityTokenOverrides): Promise<string>;
  /** What Apple would POST to the server's webhook as `{payload}`. */
  mintNotification: MintNotification;
  /** DeviceCheck's side of phones. */
  readonly devices: Devices;
  /** Signs with a new key from now on; the old ones stay published unless `keepOld` is false. Gives the new `kid`. */
  rotateKey(options?: { keepOld?: boolean | undefined }): Promise<string>;
  /** How the port behaves from now on; `authorize` and `mintIdentityToken` do not pass through it. */
  setOutage(outage: Outage): void;
  /** From now on requests for this path, such as `/auth/token`, wait for `release`. */
  hold: Barrier['hold'];
  /** Answers what waits, unless its caller has given up. */
  release: Barrier['release'];
  /** Resolves when `count` requests have been held since `hold`. */
  held: Barrier['held'];
  /** Cuts every connection and frees the port. */
  close(): Promise<void>;
}

const loopback = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;

/**
 * Starts Apple on a loopback port: `GET /auth/keys`, `POST /auth/token`, `POST /auth/revoke`, `POST /v1/query_two_bits`, and
 * `POST /simulator/authorize` in place of the phone's sheet. Throws in production, on a host that is not
 * loopback, on a taken port and on a key file that it did not write.
 */
export const startAppleSimulator = async (options: AppleSimulatorOptions): Promise<AppleSimulator> => {
  const { now, host = '127.0.0.1', port = 0, teamId = 'SIMULATED0' } = options;
  const { issuer = 'https://appleid.apple.com' } = options;
  if (options.production) throw new Error('The Apple simulator does not start in production.');
  if (!loopback.test(host)) {
    throw new Error(`The Apple simulator listens on loopback alone, not on "${host}".`);
  }

  const keys = await openSigningKeys(options.keyFile);
  const mint = identityTokenMinter({ keys, issuer, now, subject: subjectOf(teamId, 'someone') });
  const authorizations = openAuthorizations({ teamId, now, mint });
  const devices = openDevices({ teamId, now, key: options.clientSecretKey });
  const http = await listenHttp({
    host,
    port,
    keys,
    authorizations,
    devices,
    now,
    clientSecret: { teamId, now, key: options.clientSecretKey },
  });

  return {
    baseUrl: http.baseUrl,
    get publicKeyPem() {
      return keys.current().publicKeyPem;
    },
    get keyId() {
      return keys.current().kid;
    },
    get keyFetches() {
      return http.keyFetches();
    },
    get codeExchanges() {
      return authorizations.codeExchanges();
    },
    revokedTokens: authorizations.revokedTokens,
    subjectOf: (person) => subjectOf(teamId, person),
    authorize: authorizations.authorize,
    mintIdentityToken: mint,
    devices,
    mintNotification: notificationMinter({ mint, now }),
    rotateKey: async ({ keepOld = true } = {}) => (await keys.rotate(keepOld)).kid,
    setOutage: http.setOutage,
    hold: http.barrier.hold,
    release: http.barrier.release,
    held: http.barrier.held,
    close: http.close,
  };
};
