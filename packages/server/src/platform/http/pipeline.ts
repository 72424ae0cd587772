import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  acceptsAnyBuild,
  flushOf,
  rateClassOf,
  type EndpointSpec,
  type RateClass,
} from '@pufftrack/contract';
import { withDeadline, type Deadline } from '../concurrency/deadline.ts';
import { DomainError } from '../edge/errors.ts';
import type { Phase } from '../lifecycle.ts';
import { rateLimited, type RateLimits, type RateScope, type RateState } from '../limits/rate-limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import { requestIdOf, sendJson, sendProblem } from '../edge/answers.ts';
import { clientAddress, truncatedAddress } from '../edge/client-address.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { logRefusal } from '../edge/refusals.ts';
import { isAuthenticationFailure, isUnreadableBody } from '../edge/problem.ts';
import type { Actor, Authenticate, BeforeVerification } from '../edge/actor.ts';
import { readInput, type Input } from './input.ts';
import type { RateSubject, Route } from './route.ts';

export interface PipelineDeps {
  authenticate: Authenticate;
  /** Throws `reauth-required`; called for endpoints with `freshSignIn`. */
  requireFreshSignIn: (actor: Actor) => Promise<void>;
  limits: RateLimits;
  /** Number of trusted proxies in front of this server. */
  trustedHops: number;
  /** Older builds of the app receive `upgrade-required`; 0: every build is accepted. */
  minAppBuild: number;
  log: Logger;
  /** Resolves when the other processes have been notified of the changes, or cannot be; see `Bus`. */
  flushed: () => Promise<void> | undefined;
  metrics: HttpMetrics;
  /** In tests, every answer is validated by its schema; a mismatch becomes an `internal` problem. */
  validateAnswers: boolean;
  phase: () => Phase;
  /** Throws `overloaded`. */
  requireCapacity: () => void;
  /** ms from a request to its answer, without the time to receive its body. */
  requestDeadlineMs: number;
}

export type Respond = (
  route: Route,
  req: IncomingMessage,
  res: ServerResponse,
  params: Record<string, string>,
) => Promise<void>;

/**
 * The steps from a request to its answer, the same for every endpoint: token, input, handler, answer or problem. It uses only
 * Node's request and response, so Express and the fast path share it.
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

  /** Throws `rate-limited` when this source has used up its refused tokens; then no further token is verified. */
  const requireRefusedBudget = (req: IncomingMessage, res: ServerResponse, sessionId: string | undefined) => {
    const spent = sessionId
      ? limits.exhausted('session', sessionId, 'refused')
      : limits.exhausted('address', addressOf(req), 'refused');
    if (spent) showLimit(res, spent);
  };

  /** A refused token counts for its address, and for the session that it names if that is proven. */
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

  const countFor = async (
    req: IncomingMessage,
    res: ServerResponse,
    spec: EndpointSpec,
    source: RateSubject,
  ) => {
    if (source === 'garbage') return take(res, 'address', addressOf(req), 'refused');
    if (source === 'address') return take(res, 'address', addressOf(req), rateClassOf(spec));
    if (!source.isProven) requireRefusedBudget(req, res, undefined);
    return take(res, 'session', source.sessionId, rateClassOf(spec));
  };

  /** Unreadable requests count for the address, with a limit separate from that of its valid calls. */
  const countUnreadable = async (thrown: unknown, req: IncomingMessage, res: ServerResponse) => {
    const state = await limits.take('address', addressOf(req), 'bad-request');
    if (!state || state.allowed) return thrown;
    setLimitHeaders(res, state);
    return rateLimited(state);
  };

  /** Public calls that count for the session of their token: reads the body first, then counts the call. */
  const handleByToken = async (
    { route, countFor: sourceOf }: { route: Route; countFor: NonNullable<Route['countFor']> },
    { req, res, params, bearer, log, deadline }: HandlerContext,
  ) => {
    let input: Input;
    try {
      input = await readInput(route.spec, req, params, deadline);
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
    const input = await readInput(spec, req, params, deadline);
    return route.handle(callOf({ input, actor, bearer, log }));
  };

  return async (route, req, res, params) => {
    const startedAt = performance.now();
    // Most requests write no log line, and a child logger costs more than reading the input.
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
      // Monitoring endpoints are answered while the process is overloaded.
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
  input: Input;
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

/** Sets the rate limit headers of the answer; throws `rate-limited` when the limit is used up. */
export const showLimit = (res: ServerResponse, state: RateState | undefined): void => {
  if (!state) return;
  setLimitHeaders(res, state);
  if (!state.allowed) throw rateLimited(state);
};

const setLimitHeaders = (res: ServerResponse, { policy, limit }: RateState) => {
  // A request that was aborted while its body arrived already has an answer.
  if (res.headersSent) return;
  res.setHeader('RateLimit-Policy', policy);
  res.setHeader('RateLimit', limit);
};

/** A connection that a client keeps alive would delay the end of the drain. */
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

/** Checks `X-App-Build` if it is a number; any other value is ignored. */
const requireAppBuild = ({ headers }: IncomingMessage, spec: EndpointSpec, minAppBuild: number) => {
  const build = headers['x-app-build'];
  if (typeof build !== 'string' || !/^[0-9]{1,12}$/.test(build)) return;
  if (Number(build) < minAppBuild && !acceptsAnyBuild(spec))
    throw new DomainError('upgrade-required', {
      detail: `This needs build ${minAppBuild} of the app or a newer one. Puffs are still recorded.`,
    });
};

const checkAnswer = (spec: EndpointSpec, answer: { status: number; body?: unknown }) => {
  const schema = spec.responses[answer.status];
  if (schema === undefined)
    throw new Error(`${spec.method} ${spec.path} declares no status ${answer.status}`);
  if (schema === null) return;
  const parsed = schema.safeParse(answer.body);
  if (!parsed.success)
    throw new Error(
      `${spec.method} ${spec.path} sends an answer that does not match its schema: ${parsed.error.message}`,
    );
};
