import type { EndpointAnswer, EndpointInput, EndpointSpec } from '@pufftrack/contract';
import type { Actor } from '../actor.ts';
import type { Logger } from '../logger.ts';

/** What a handler sees of a request. `actor` stands where the endpoint says `auth: 'user'`. */
export interface Call<S extends EndpointSpec> {
  readonly input: EndpointInput<S>;
  readonly actor: S['auth'] extends 'user' ? Actor : undefined;
  /** The raw bearer token, for the few public calls that may carry one. */
  readonly bearer: string | undefined;
  readonly log: Logger;
}

/** An endpoint of the contract with its handler. */
export interface Route {
  readonly spec: EndpointSpec;
  readonly handle: (call: Call<EndpointSpec>) => Promise<{ status: number; body?: unknown }>;
}

export const route = <const S extends EndpointSpec>(
  spec: S,
  handle: (call: Call<NoInfer<S>>) => Promise<EndpointAnswer<NoInfer<S>>>,
): Route => ({
  spec,
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

/** The answer of a call that is done and has nothing to say. */
export const noContent = { status: 204 } as const;
