import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  acceptsAnyBuild,
  defaultBodyLimit,
  flushOf,
  mayHaveBody,
  rateClassOf,
  type EndpointSpec,
  type RateClass,
} from '@pufftrack/contract';
import type { z } from 'zod';
import { withDeadline, type Deadline } from '../concurrency/deadline.ts';
import { DomainError } from '../edge/errors.ts';
import type { Phase } from '../lifecycle.ts';
import { rateLimited, type RateLimits, type RateScope, type RateState } from '../limits/rate-limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import { requestIdOf, sendJson, sendProblem } from '../edge/answers.ts';
import { readJsonBody } from './body.ts';
import { clientAddress, truncatedAddress } from '../edge/client-address.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { queryOf } from '../edge/query.ts';
import { logRefusal } from '../edge/refusals.ts';
import { invalidInput, isAuthenticationFailure, isUnreadableBody } from '../edge/problem.ts';
import type { Actor, Authenticate, BeforeVerification } from '../edge/actor.ts';
import type { Counted, Route } from './route.ts';

export interface PipelineDeps {
  authenticate: Authenticate;
  /** Throws `reauth-required`; called for endpoints with `freshSignIn`. */
  requireFreshSignIn: (actor: Actor) => Promise<void>;
  limits: RateLimits;
  /** Proxies that stand before this server. */
  trustedHops: number;
  /** Older apps get `upgrade-required`; 0: none. */
  minAppBuild: number;
  log: Logger;
  /** Resolves when the other processes have been notified of what was changed here, or cannot be; see `Bus`. */
  flushed: () => Promise<void> | undefined;
  metrics: HttpMetrics;
  /** Tests check every answer against its schema; a mismatch is an `internal` problem. */
  validateAnswers: boolean;
  phase: () => Phase;
  /** Throws `overloaded`. */
  requireCapacity: () => void;
  /** ms from a request to its answer, the time apart in which its body arrives. */
  requestDeadlineMs: number;
}

export type Respond = (
  route: Route,
  req: IncomingMessage,
  res: ServerResponse,
  params: Record<string, string>,
) => Promise<void>;

/**
 * One way from a request to an answer for every endpoint: token, input, handler, answer or problem.
 * It knows Node's request and response only, so Express and the fast path share all of it.
 */
export const createPipeline = (deps: PipelineDeps): Respond => {
  const { authenticate, limits, metrics, minAppBuild, validateAnswers } = deps;

  /** Counts the call and sets the limit headers; throws `rate-limited`. Synchronous where the store is. */
  const take = (res: ServerResponse, scope: RateScope, id: string, rateClass: RateClass) => {
    const counted = limits.take(scope, id, rateClass);
    if (counted instanceof Promise)
      return counted.then((state) => {
        showLimit(res, state);
      });
    showLimit(res, counted);
    return undefined;
  };

  const addressOf = (req: IncomingMessage) => clientAddress(req, deps.trustedHops);

  /** Throws `rate-limited` where this source has spent its refused tokens, so that another one is not even verified. */
  const requireRefusedBudget = (req: IncomingMessage, res: ServerResponse, sessionId: string | undefined) => {
    const spent = sessionId
      ? limits.exhausted('session', sessionId, 'refused')
      : limits.exhausted('address', addressOf(req), 'refused');
    if (spent) showLimit(res, spent);
  };

  /** A refused token counts for its address, and for the session that it names where that is proven. */
  const countRefused = async (req: IncomingMessage, res: ServerResponse, sessionId: string | undefined) => {
    if (sessionId) await limits.take('session', sessionId, 'refused');
    await take(res, 'address', addressOf(req), 'refused');
  };

  const actorOf = async (req: IncomingMessage, res: ServerResponse, bearer: string | undefined) => {
    let named: string | undefined;
    const beforeVerification: BeforeVerification = (sessionId) => {
      named = sessionId;
      requireRefusedBudget(req, res, sessionId);
    };
    try {
      return await requireActor(authenticate, bearer, beforeVerification);
    } catch (error) {
      if (isAuthenticationFailure(error)) await countRefused(req, res, named);
      throw error;
    }
  };

  const countFor = async (req: IncomingMessage, res: ServerResponse, spec: EndpointSpec, source: Counted) => {
    if (source === 'garbage') return take(res, 'address', addressOf(req), 'refused');
    if (source === 'address') return take(res, 'address', addressOf(req), rateClassOf(spec));
    if (!source.isProven) requireRefusedBudget(req, res, undefined);
    return take(res, 'session', source.sessionId, rateClassOf(spec));
  };

  /** What cannot be read counts for the address, whose share of those is not that of its good calls. */
  const countUnreadable = async (thrown: unknown, req: IncomingMessage, res: ServerResponse) => {
    const state = await limits.take('address', addressOf(req), 'bad-request');
    if (!state || state.allowed) return thrown;
    setLimitHeaders(res, state);
    return rateLimited(state);
  };

  /** Public calls that count for the session of their token: the body is read first, then the call is counted. */
  const handleByToken = async (
    { route, countFor: sourceOf }: { route: Route; countFor: NonNullable<Route['countFor']> },
    { req, res, params, bearer, log, deadline }: HandlerContext,
  ) => {
    let input: Awaited<ReturnType<typeof inputOf>>;
    try {
      input = await inputOf(route.spec, req, params, deadline);
    } catch (error) {
      throw await countUnreadable(error, req, res);
    }
    const source = sourceOf({ body: input.body, bearer });
    await countFor(req, res, route.spec, source);
    requireAppBuild(req, route.spec, minAppBuild);
    try {
      return await route.handle(callOf({ input, actor: undefined, bearer, log }));
    } catch (error) {
      if (isAuthenticationFailure(error) && typeof source === 'object')
        await countRefused(req, res, source.isProven ? source.sessionId : undefined);
      throw error;
    }
  };

  const handle = async (
    route: Route,
    { req, res, params, bearer, log, deadline }: HandlerContext,
    actor: Actor | undefined,
  ) => {
    const { spec } = route;
    const counted = actor
      ? take(res, 'person', actor.userId, rateClassOf(spec))
      : take(res, 'address', addressOf(req), rateClassOf(spec));
    if (counted) await counted;
    if (spec.addressRate) {
      if (actor) await take(res, 'person', actor.userId, spec.addressRate);
      await take(res, 'address', addressOf(req), spec.addressRate);
    }
    requireAppBuild(req, spec, minAppBuild);
    if (spec.freshSignIn && actor) await deps.requireFreshSignIn(actor);
    const input = await inputOf(spec, req, params, deadline);
    return route.handle(callOf({ input, actor, bearer, log }));
  };

  return async (route, req, res, params) => {
    const startedAt = performance.now();
    // Most requests log nothing, and a child logger costs more than their input.
    let log: Logger | undefined;
    const ownLog = () =>
      (log ??= deps.log.child({ requestId: requestIdOf(res), network: truncatedAddress(addressOf(req)) }));
    let actor: Actor | undefined;
    try {
      if (deps.phase() === 'starting' && !route.spec.whileStarting)
        throw new DomainError('not-ready', {
          detail: 'The server is starting. Send the same request again.',
          retryAfterSeconds: 1,
        });
      // What watches this process is answered while it is overloaded too.
      if (rateClassOf(route.spec) !== 'none') deps.requireCapacity();
      const answer = await withDeadline(deps.requestDeadlineMs, async (deadline) => {
        const bearer = bearerOf(req);
        const context = { req, res, params, bearer, log: ownLog, deadline };
        const { countFor: sourceOf } = route;
        if (route.spec.auth === 'user') actor = await actorOf(req, res, bearer);
        const handled = await (sourceOf
          ? handleByToken({ route, countFor: sourceOf }, context)
          : handle(route, context, actor));
        if (flushOf(route.spec) !== 'never') await deps.flushed();
        return handled;
      });
      if (validateAnswers) checkAnswer(route.spec, answer);
      closeWhileDraining(res, deps.phase());
      sendJson(res, answer.status, answer.body);
    } catch (thrown) {
      if (flushOf(route.spec) === 'always') await deps.flushed();
      closeWhileDraining(res, deps.phase());
      const shown =
        route.countFor || !isUnreadableBody(thrown) ? thrown : await countUnreadable(thrown, req, res);
      logRefusal(shown, { where: `${route.spec.method} ${route.spec.path}`, actor, log: ownLog });
      sendProblem(res, shown, ownLog());
    }
    metrics.answered(route.spec, res.statusCode, performance.now() - startedAt);
  };
};

interface HandlerContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly params: Record<string, string>;
  readonly bearer: string | undefined;
  readonly log: () => Logger;
  readonly deadline: Deadline;
}

const callOf = ({
  log,
  ...call
}: {
  input: Awaited<ReturnType<typeof inputOf>>;
  actor: Actor | undefined;
  bearer: string | undefined;
  log: () => Logger;
}) =>
  ({
    ...call,
    get log() {
      return log();
    },
  }) as never;

const inputOf = async (
  spec: EndpointSpec,
  req: IncomingMessage,
  params: Record<string, string>,
  deadline: Deadline,
) => ({
  params: parse(spec.params, params),
  query: parse(spec.query, queryOf(req.url ?? '/', spec.query)),
  // A slow phone is not a slow server: bodies have limits of their own.
  body: mayHaveBody(spec) ? await deadline.without(readBody(spec, req)) : undefined,
});

/** Shows a state in the answer's headers; throws `rate-limited` where it is used up. */
export const showLimit = (res: ServerResponse, state: RateState | undefined): void => {
  if (!state) return;
  setLimitHeaders(res, state);
  if (!state.allowed) throw rateLimited(state);
};

const setLimitHeaders = (res: ServerResponse, { policy, limit }: RateState) => {
  // A request that was cut while its body arrived has its answer already.
  if (res.headersSent) return;
  res.setHeader('RateLimit-Policy', policy);
  res.setHeader('RateLimit', limit);
};

/** A client that keeps its connection would keep this process from ending. */
const closeWhileDraining = (res: ServerResponse, phase: Phase) => {
  if (phase === 'draining' && !res.headersSent) res.setHeader('Connection', 'close');
};

const requireActor = async (
  authenticate: Authenticate,
  bearer: string | undefined,
  beforeVerification: BeforeVerification,
): Promise<Actor> => {
  if (bearer === undefined)
    throw new DomainError('unauthenticated', { detail: 'Send `Authorization: Bearer <accessToken>`.' });
  return authenticate(bearer, beforeVerification);
};

const bearerOf = (req: IncomingMessage): string | undefined =>
  /^Bearer ([^\s]+)$/i.exec(req.headers.authorization ?? '')?.[1];

/** `X-App-Build`, where an app sends it; any other value is ignored. */
const requireAppBuild = ({ headers }: IncomingMessage, spec: EndpointSpec, minAppBuild: number) => {
  const build = headers['x-app-build'];
  if (typeof build !== 'string' || !/^[0-9]{1,12}$/.test(build)) return;
  if (Number(build) < minAppBuild && !acceptsAnyBuild(spec))
    throw new DomainError('upgrade-required', {
      detail: `This needs build ${minAppBuild} of the app or a newer one. Puffs are still recorded.`,
    });
};

const readBody = async (spec: EndpointSpec, req: IncomingMessage): Promise<unknown> => {
  const body = await readJsonBody(req, spec.bodyLimit ?? defaultBodyLimit);
  if (!spec.body) return undefined;
  if (body === undefined && spec.bodyOptional !== true)
    throw new DomainError('malformed', { detail: 'This call needs a JSON object as its body.' });
  return parse(spec.body, body ?? {});
};

const parse = (schema: z.ZodObject | undefined, value: unknown): unknown => {
  if (!schema) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalidInput(parsed.error);
  return parsed.data;
};

const checkAnswer = (spec: EndpointSpec, answer: { status: number; body?: unknown }) => {
  const schema = spec.responses[answer.status];
  if (schema === undefined)
    throw new Error(`${spec.method} ${spec.path} declares no status ${answer.status}`);
  if (schema === null) return;
  const parsed = schema.safeParse(answer.body);
  if (!parsed.success)
    throw new Error(`${spec.method} ${spec.path} answers against its schema: ${parsed.error.message}`);
};
