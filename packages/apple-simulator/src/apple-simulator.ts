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
  /** Milliseconds since the epoch; the clock of every `iat`, `exp` and code lifetime. */
  now: () => number;
  /** A loopback address; 127.0.0.1 when absent. */
  host?: string | undefined;
  /** 0 (the default): any free port. */
  port?: number | undefined;
  /** Subjects are per team (SIWA-15), and a client secret is issued by this team. */
  teamId?: string | undefined;
  /** `iss` of the tokens. */
  issuer?: string | undefined;
  /** Stores the signing keys, mode 0600, so that tokens of a restarted development server still verify. */
  keyFile?: string | undefined;
  /** The public key (PEM or key object) of the client secrets; absent: signatures are not verified. */
  clientSecretKey?: string | KeyObject | undefined;
  /** True makes the start fail: a simulator must never authenticate a real person. */
  production?: boolean | undefined;
}

export interface AppleSimulator {
  /** For `APPLE_BASE_URL`, without a trailing slash. */
  readonly baseUrl: string;
  /** The PEM (SPKI) of the current signing key. */
  readonly publicKeyPem: string;
  /** Its `kid`. */
  readonly keyId: string;
  /** Received `GET /auth/keys`, also during an outage, without refused connections. */
  readonly keyFetches: number;
  /** Authorization codes redeemed for tokens. */
  readonly codeExchanges: number;
  /** The tokens of the accepted `POST /auth/revoke`, in order; a repeated call repeats its token. */
  readonly revokedTokens: readonly string[];
  /** The stable `sub` of a person for this team. */
  subjectOf(person: string): string;
  /** What the phone's native sheet returns to the app after the person has agreed. */
  authorize(request: AuthorizationRequest): Promise<AppleAuthorization>;
  /** A token that may be invalid; see {@link IdentityTokenOverrides}. */
  mintIdentityToken(overrides: IdentityTokenOverrides): Promise<string>;
  /** The payload that Apple would POST to the server's webhook. */
  mintNotification: MintNotification;
  /** Device bits of DeviceCheck. */
  readonly devices: Devices;
  /** Signs with a new key from now on; the old ones stay published unless `keepOld` is false. Returns the new `kid`. */
  rotateKey(options?: { keepOld?: boolean | undefined }): Promise<string>;
  /** Simulates an outage of the port; `authorize` and `mintIdentityToken` are unaffected. */
  setOutage(outage: Outage): void;
  /** From now on requests for this path, such as `/auth/token`, wait for `release`. */
  hold: Barrier['hold'];
  /** Answers what waits, unless its caller has given up. */
  release: Barrier['release'];
  /** Resolves when `count` requests have been held since `hold`. */
  held: Barrier['held'];
  /** Closes every connection and frees the port. */
  close(): Promise<void>;
}

const loopback = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;

/**
 * Starts Apple on a loopback port: `GET /auth/keys`, `POST /auth/token`, `POST /auth/revoke`, `POST /v1/query_two_bits`, and
 * `POST /simulator/authorize` in place of the phone's sheet. Throws in production, on a host that is not
 * loopback, on a port in use and on an invalid key file.
 */
export const startAppleSimulator = async (options: AppleSimulatorOptions): Promise<AppleSimulator> => {
  const { now, host = '127.0.0.1', port = 0, teamId = 'SIMULATED0' } = options;
  const { issuer = 'https://appleid.apple.com' } = options;
  if (options.production) throw new Error('The Apple simulator does not start in production.');
  if (!loopback.test(host)) {
    throw new Error(`The Apple simulator listens only on loopback, not on "${host}".`);
  }

  const keys = await openSigningKeys(options.keyFile);
  const mint = identityTokenMinter({ keys, issuer, now, subject: subjectOf(teamId, 'default') });
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
