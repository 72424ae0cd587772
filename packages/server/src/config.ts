import { resolve } from 'node:path';
import { z } from 'zod';
import { appleId, certificate, httpUrl, key32, list, p256Key, port, wholeNumber } from './config-values.ts';
import { targetNames, type TargetName } from './target-names.ts';

/** What the environment says, read once. Every name and default: docs/configuration.md. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The address that clients use; the issuer of access tokens. Undefined: made from host and port. */
  readonly publicUrl: string | undefined;
  readonly targets: readonly TargetName[];
  /** Undefined: an embedded replica set of one, with its data in `dataDir`. */
  readonly mongoUri: string | undefined;
  /** Undefined: this process is the only one. */
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
  readonly apple: {
    readonly baseUrl: string;
    readonly issuers: readonly string[];
    readonly clientIds: readonly string[];
    /** Undefined: no code is exchanged and nothing revoked at Apple. */
    readonly team: AppleTeam | undefined;
    readonly deviceCheckMode: 'off' | 'monitor' | 'enforce';
    readonly deviceCheckBaseUrl: string;
    /** Development's own Apple is started, and `baseUrl` becomes its address. */
    readonly simulator: boolean;
  };
  /** Undefined: nothing is pushed, but in development with the simulator. */
  readonly apns: ApnsSettings | undefined;
  /** 32 bytes; undefined: made once and kept in `dataDir`. */
  readonly masterKey: Buffer | undefined;
  /** Opens what it has sealed, and seals nothing. */
  readonly previousMasterKey: Buffer | undefined;
  /** What stands between clients and the handlers. */
  readonly edge: {
    readonly trustedHops: number;
    readonly corsOrigins: readonly string[];
    readonly rateLimitScale: number;
    readonly minAppBuild: number;
  };
  readonly docs: boolean;
  readonly metrics: { readonly port: number | undefined; readonly onApiListener: boolean };
  readonly logLevel: string;
}

export interface AppleTeam {
  readonly teamId: string;
  readonly keyId: string;
  /** PKCS #8 in PEM, P-256. */
  readonly privateKey: string;
}

export interface ApnsSettings extends AppleTeam {
  /** The bundle id of the app. */
  readonly topic: string;
  /** Undefined: Apple's. */
  readonly baseUrl: string | undefined;
  /** PEM, trusted in place of the system's authorities. */
  readonly ca: string | undefined;
}

/** Every fault of the environment at once, each with the variable's name and never with its value. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

const apple = 'https://appleid.apple.com';
/** Apps from TestFlight and the App Store speak to this one, apps from Xcode to the other (DC-1). */
const deviceCheck = 'https://api.devicecheck.apple.com';
const deviceCheckDevelopment = 'https://api.development.devicecheck.apple.com';
/** The bundle id of sign-ins through the simulator, where no other is given. */
export const simulatorClientId = 'app.pufftrack.dev';

const Environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).optional(),
  PORT: port.default(3000),
  PUBLIC_URL: httpUrl.optional(),
  TARGETS: list
    .transform((names) => (names.length === 1 && names[0] === 'all' ? [...targetNames] : names))
    .pipe(z.array(z.enum(targetNames, { error: `must be all, or some of ${targetNames.join(', ')}` })))
    .default([...targetNames]),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\/\S+$/, { error: 'must start with mongodb:// or mongodb+srv://' })
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/\S+$/, { error: 'must start with redis:// or rediss://' })
    .optional(),
  DATA_DIR: z.string().min(1).default('./.data'),
  APPLE_BASE_URL: httpUrl.optional(),
  APPLE_ISSUERS: list.default([apple, 'https://account.apple.com']),
  APPLE_CLIENT_IDS: list.optional(),
  APPLE_TEAM_ID: appleId.optional(),
  APPLE_KEY_ID: appleId.optional(),
  APPLE_PRIVATE_KEY: p256Key.optional(),
  DEVICECHECK_MODE: z.enum(['off', 'monitor', 'enforce']).default('off'),
  DEVICECHECK_BASE_URL: httpUrl.optional(),
  APPLE_SIMULATOR: z.enum(['on', 'off']).optional(),
  APNS_BASE_URL: httpUrl
    .refine((url) => url.startsWith('https://'), { error: 'must be an https address: HTTP/2 needs TLS' })
    .optional(),
  APNS_TOPIC: z.string().min(1).max(155).optional(),
  APNS_KEY_ID: appleId.optional(),
  APNS_PRIVATE_KEY: p256Key.optional(),
  APNS_CA: certificate.optional(),
  MASTER_KEY: key32.optional(),
  MASTER_KEY_PREVIOUS: key32.optional(),
  TRUST_PROXY: wholeNumber(10).default(0),
  CORS_ORIGINS: list
    .refine((items) => items.every((item) => /^https?:\/\/[^/\s?#*]+$/.test(item)), {
      error: 'must be origins, such as https://app.example.com',
    })
    .default([]),
  RATE_LIMIT_SCALE: z
    .string()
    .regex(/^\d{1,6}(\.\d{1,3})?$/, { error: 'must be a number above 0' })
    .transform(Number)
    .refine((scale) => scale > 0, { error: 'must be a number above 0' })
    .default(1),
  MIN_APP_BUILD: wholeNumber(999_999_999).default(0),
  DOCS: z.enum(['on', 'off']).optional(),
  METRICS_PORT: port.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
type Environment = z.infer<typeof Environment>;

export const environmentNames = Object.keys(Environment.shape);

/** Throws ConfigError. */
export const readConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  const parsed = Environment.safeParse(env);
  if (!parsed.success)
    throw new ConfigError([
      ...parsed.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`),
      ...missingInProduction(env),
    ]);
  const value = parsed.data;
  const production = value.NODE_ENV === 'production';
  const appleGiven = [value.APPLE_BASE_URL, value.APPLE_CLIENT_IDS, value.APPLE_TEAM_ID].some(
    (setting) => setting !== undefined,
  );
  const simulator = value.APPLE_SIMULATOR === 'on' || (!production && !value.APPLE_SIMULATOR && !appleGiven);
  const faults = [...faultsOf(value, simulator), ...missingInProduction(env)];
  if (faults.length > 0) throw new ConfigError(faults);

  return Object.freeze({
    production,
    host: value.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: value.PORT,
    publicUrl: value.PUBLIC_URL,
    targets: value.TARGETS,
    mongoUri: value.MONGODB_URI,
    redisUrl: value.REDIS_URL,
    dataDir: resolve(value.DATA_DIR),
    apple: {
      baseUrl: value.APPLE_BASE_URL ?? apple,
      issuers: value.APPLE_ISSUERS,
      clientIds: value.APPLE_CLIENT_IDS ?? [simulatorClientId],
      team: teamOf(value),
      deviceCheckMode: value.DEVICECHECK_MODE,
      deviceCheckBaseUrl: value.DEVICECHECK_BASE_URL ?? (production ? deviceCheck : deviceCheckDevelopment),
      simulator,
    },
    apns: apnsOf(value),
    masterKey: value.MASTER_KEY,
    previousMasterKey: value.MASTER_KEY_PREVIOUS,
    edge: {
      trustedHops: value.TRUST_PROXY,
      corsOrigins: value.CORS_ORIGINS,
      rateLimitScale: value.RATE_LIMIT_SCALE,
      minAppBuild: value.MIN_APP_BUILD,
    },
    docs: value.DOCS ? value.DOCS === 'on' : !production,
    metrics: { port: value.METRICS_PORT, onApiListener: !production },
    logLevel: value.LOG_LEVEL,
  });
};

const teamOf = ({ APPLE_TEAM_ID, APPLE_KEY_ID, APPLE_PRIVATE_KEY }: Environment): AppleTeam | undefined =>
  APPLE_TEAM_ID !== undefined && APPLE_KEY_ID !== undefined && APPLE_PRIVATE_KEY !== undefined
    ? { teamId: APPLE_TEAM_ID, keyId: APPLE_KEY_ID, privateKey: APPLE_PRIVATE_KEY }
    : undefined;

const apnsOf = (value: Environment): ApnsSettings | undefined => {
  const { APNS_TOPIC, APNS_KEY_ID, APNS_PRIVATE_KEY, APPLE_TEAM_ID } = value;
  if (!APNS_TOPIC || !APNS_KEY_ID || !APNS_PRIVATE_KEY || !APPLE_TEAM_ID) return undefined;
  return {
    teamId: APPLE_TEAM_ID,
    keyId: APNS_KEY_ID,
    privateKey: APNS_PRIVATE_KEY,
    topic: APNS_TOPIC,
    baseUrl: value.APNS_BASE_URL,
    ca: value.APNS_CA,
  };
};

const apnsNames = ['APNS_TOPIC', 'APNS_KEY_ID', 'APNS_PRIVATE_KEY'] as const;
const teamNames = ['APPLE_TEAM_ID', 'APPLE_KEY_ID', 'APPLE_PRIVATE_KEY'] as const;

/** Faults of values that are fine alone. */
const faultsOf = (value: Environment, simulator: boolean): string[] => {
  const production = value.NODE_ENV === 'production';
  const faults: string[] = [];
  if (production && value.APPLE_SIMULATOR === 'on') faults.push('APPLE_SIMULATOR: is refused in production');
  if (production && value.APPLE_BASE_URL !== undefined && value.APPLE_BASE_URL !== apple)
    faults.push(`APPLE_BASE_URL: production accepts only ${apple}`);
  if (simulator && value.APPLE_BASE_URL !== undefined)
    faults.push('APPLE_BASE_URL: leave it out where APPLE_SIMULATOR is on');
  if (!production && !simulator && value.APPLE_CLIENT_IDS === undefined)
    faults.push("APPLE_CLIENT_IDS: the app's bundle ids are missing (the audience of Apple's tokens)");
  const absent = teamNames.filter((name) => value[name] === undefined);
  if (!production && absent.length > 0 && absent.length < teamNames.length)
    faults.push(...absent.map((name) => `${name}: is missing; ${teamNames.join(', ')} go together`));
  if (production && (value.DEVICECHECK_BASE_URL ?? deviceCheck) !== deviceCheck)
    faults.push(`DEVICECHECK_BASE_URL: production accepts only ${deviceCheck}`);
  if (value.DEVICECHECK_MODE !== 'off' && !simulator && absent.length > 0 && !production)
    faults.push(`DEVICECHECK_MODE: needs ${teamNames.join(', ')}`);
  const apnsAbsent = apnsNames.filter((name) => value[name] === undefined);
  if (apnsAbsent.length > 0 && apnsAbsent.length < apnsNames.length)
    faults.push(...apnsAbsent.map((name) => `${name}: is missing; ${apnsNames.join(', ')} go together`));
  if (apnsAbsent.length === 0 && value.APPLE_TEAM_ID === undefined && !production)
    faults.push('APPLE_TEAM_ID: is missing; pushes are sent in its name');
  if (production)
    for (const name of ['APNS_BASE_URL', 'APNS_CA'] as const)
      if (value[name] !== undefined) faults.push(`${name}: is refused in production`);
  if (production && value.PUBLIC_URL !== undefined && !value.PUBLIC_URL.startsWith('https://'))
    faults.push('PUBLIC_URL: production accepts only https');
  if (
    production &&
    value.REDIS_URL === undefined &&
    targetNames.some((name) => !value.TARGETS.includes(name))
  )
    faults.push('REDIS_URL: is required in production where TARGETS is not all; processes need it together');
  if (value.METRICS_PORT === value.PORT && value.PORT !== 0)
    faults.push('METRICS_PORT: must be another port than PORT');
  if (production && value.RATE_LIMIT_SCALE > 1) faults.push('RATE_LIMIT_SCALE: production accepts at most 1');
  return faults;
};

const missingInProduction = (env: Readonly<Record<string, string | undefined>>): string[] =>
  env['NODE_ENV'] === 'production'
    ? ['PUBLIC_URL', 'MONGODB_URI', 'APPLE_CLIENT_IDS', ...teamNames, 'MASTER_KEY']
        .filter((name) => env[name] === undefined)
        .map((name) => `${name}: is required in production`)
    : [];
