import type { z } from 'zod';
import { problemStatus, type ProblemCode } from './problem.ts';

/** Who may call: `none` is public and has to be written; `user` needs an access token. */
export type Auth = 'none' | 'user';

/**
 * Which calls share a limit. Never declared: `refused` counts failed authentications, `bad-request` what is no call of
 * this API (unknown paths and methods, refused preflights, bodies that cannot be read). `session` counts for the session
 * whose token the body carries. `none` has no limit.
 */
export const rateClasses = [
  'read',
  'write',
  'puffs',
  'socket',
  'connect',
  'session',
  'nonce',
  'sign-in',
  'webhook',
  'public',
  'guess',
  'refused',
  'bad-request',
  'none',
] as const;
export type RateClass = (typeof rateClasses)[number];

/**
 * When an answer waits until the other processes have been notified of what the call changed, because the next call may
 * reach one of them: after a success, in any case (a call that is refused changes something too), or never (every process
 * finds the change in the database).
 */
export type Flush = 'on-success' | 'always' | 'never';

export interface EndpointSpec {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Express path template; parameters as `:name`. */
  readonly path: string;
  readonly tag:
    'auth' | 'users' | 'friends' | 'puffs' | 'analytics' | 'notifications' | 'coaching' | 'service';
  readonly auth: Auth;
  /** Which limit counts the call, where it differs from the default of its shape; see `rateClassOf`. */
  readonly rate?: RateClass;
  /** A second limit, of the person and of the address, where many accounts at one place could try codes together (API-6). */
  readonly addressRate?: RateClass;
  /** True where an app older than `MIN_APP_BUILD` may still call; see `acceptsAnyBuild`. */
  readonly anyAppBuild?: boolean;
  /** Only within 5 minutes of a sign-in, else 401 `reauth-required`. */
  readonly freshSignIn?: boolean;
  /** Served without the router, for the calls that make most of the load: its path has no parameters, and it takes no query. */
  readonly hot?: true;
  /** When the answer waits for the other processes; see `flushOf`. */
  readonly flush?: Flush;
  /** True where a process that is still starting answers. */
  readonly whileStarting?: true;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** A body may be left out; then the handler gets the schema's answer to `{}`. */
  readonly bodyOptional?: boolean;
  /** Largest body in bytes; 64 KB by default. */
  readonly bodyLimit?: number;
  /** Schema by status; null where there is no body. */
  readonly responses: Readonly<Record<number, z.ZodType | null>>;
  /** Problem codes beyond those that every call of this shape can answer; see `problemsOf`. */
  readonly problems: readonly ProblemCode[];
}

export const defaultBodyLimit = 64 * 1024;

/** Declares one endpoint. The only place where its method, path, schemas and problems stand. */
export const endpoint = <const S extends EndpointSpec>(spec: S): S => spec;

/** The limit that counts an endpoint: of the person where there is one, else of the address. */
export const rateClassOf = (spec: EndpointSpec): RateClass => {
  if (spec.rate) return spec.rate;
  if (spec.auth === 'none') return 'public';
  if (spec.method === 'GET') return 'read';
  return spec.tag === 'puffs' ? 'puffs' : 'write';
};

export const flushOf = (spec: EndpointSpec): Flush =>
  spec.flush ?? (spec.method === 'GET' ? 'never' : 'on-success');

/**
 * Whether an app that must be updated can still make this call: signing in and out, and everything that keeps a person
 * from losing what they recorded.
 */
export const acceptsAnyBuild = (spec: EndpointSpec): boolean =>
  spec.anyAppBuild ?? (spec.tag === 'auth' || (spec.tag === 'puffs' && spec.method !== 'GET'));

/**
 * Whether the body of the call is checked, declared or not: a forbidden body is refused on every call. The body of a GET
 * has no meaning (RFC 9110, 9.3.1).
 */
export const mayHaveBody = (spec: EndpointSpec): boolean => spec.method !== 'GET';

type Out<T> = T extends z.ZodType ? z.output<T> : undefined;
type In<T> = T extends z.ZodType ? z.input<T> : undefined;

/** What a handler gets: parsed and normalised. */
export interface EndpointInput<S extends EndpointSpec> {
  params: Out<S['params']>;
  query: Out<S['query']>;
  body: Out<S['body']>;
}

/** What a caller sends. */
export interface EndpointRequest<S extends EndpointSpec> {
  params?: In<S['params']>;
  query?: In<S['query']>;
  body?: In<S['body']>;
}

/** What a handler answers: one of the declared statuses with its body. */
export type EndpointAnswer<S extends EndpointSpec> = {
  [Status in keyof S['responses'] & number]: S['responses'][Status] extends z.ZodType
    ? { status: Status; body: z.input<S['responses'][Status]> }
    : { status: Status };
}[keyof S['responses'] & number];

/** The bodies that a caller may get on success. */
export type EndpointResult<S extends EndpointSpec> = {
  [Status in keyof S['responses'] & number]: Out<S['responses'][Status]>;
}[keyof S['responses'] & number];

/** Every problem code that an endpoint can answer, those of its shape included. */
export const problemsOf = (spec: EndpointSpec): ProblemCode[] => {
  const codes = new Set<ProblemCode>(['internal', 'not-ready', 'overloaded', ...spec.problems]);
  if (spec.auth === 'user') {
    for (const code of [
      'unauthenticated',
      'invalid-token',
      'token-expired',
      'session-ended',
      'account-gone',
    ] as const)
      codes.add(code);
  } else {
    codes.add('unauthenticated'); // a token in the URL is refused everywhere
  }
  if (mayHaveBody(spec)) {
    for (const code of [
      'malformed',
      'forbidden-key',
      'request-timeout',
      'payload-too-large',
      'unsupported-media-type',
    ] as const)
      codes.add(code);
  }
  if (rateClassOf(spec) !== 'none') codes.add('rate-limited');
  if (!acceptsAnyBuild(spec)) codes.add('upgrade-required');
  if (spec.freshSignIn) codes.add('reauth-required');
  if (spec.body ?? spec.query ?? spec.params) codes.add('invalid');
  return [...codes].sort((a, b) => problemStatus[a] - problemStatus[b] || a.localeCompare(b));
};
