import type { EndpointAnswer, EndpointInput, EndpointSpec } from '@pufftrack/contract';
import type { Actor } from '../edge/actor.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What a handler sees of a request. `actor` stands where the endpoint says `auth: 'user'`. */
export interface Call<S extends EndpointSpec> {
  readonly input: EndpointInput<S>;
  readonly actor: S['auth'] extends 'user' ? Actor : undefined;
  /** The raw bearer token, for the few public calls that may carry one. */
  readonly bearer: string | undefined;
  readonly log: Logger;
}

/**
 * The source that a call without an actor is counted for, by the form of the token that it carries. It is counted before any lookup
 * or verification.
 * - `{sessionId}`: the session that the token names. `isProven`: its id was made by this server, so no other client can
 *   have invented it; without that a failure also counts for the address.
 * - `address`: the address, in the endpoint's own class.
 * - `garbage`: not a token at all; counts as a refused one for the address.
 */
export type RateSubject = { readonly sessionId: string; readonly isProven: boolean } | 'address' | 'garbage';

/** An endpoint of the contract with its handler. */
export interface Route {
  readonly spec: EndpointSpec;
  /** For the calls that are counted by their body; all others count before it is read. */
  readonly countFor?: (call: { readonly body: unknown; readonly bearer: string | undefined }) => RateSubject;
  readonly handle: (call: Call<EndpointSpec>) => Promise<{ status: number; body?: unknown }>;
}

export const route = <const S extends EndpointSpec>(
  spec: S,
  handle: (call: Call<NoInfer<S>>) => Promise<EndpointAnswer<NoInfer<S>>>,
  countFor?: (call: {
    readonly body: EndpointInput<NoInfer<S>>['body'];
    readonly bearer: string | undefined;
  }) => RateSubject,
): Route => ({
  spec,
  ...(countFor && { countFor: (call) => countFor(call as never) }),
  // The pipeline parses with the schemas of this very spec before it calls.
  handle: async (call) => handle(call),
});

/** What a handler answers, with its status as a literal. */
export const answer = <const Status extends number, Body>(
  status: Status,
  body: Body,
): { status: Status; body: Body } => ({
  status,
  body,
});

/** The answer without a body. */
export const noContent = { status: 204 } as const;
