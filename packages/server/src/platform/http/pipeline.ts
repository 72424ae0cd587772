import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  acceptsAnyBuild,
  defaultBodyLimit,
  mayHaveBody,
  rateClassOf,
  type EndpointSpec,
  type RateClass,
} from '@pufftrack/contract';
import type { z } from 'zod';
import { DomainError } from '../errors.ts';
import { newUuid } from '../ids.ts';
import type { Phase } from '../lifecycle.ts';
import { rateLimited, type RateLimits, type RateScope, type RateState } from '../limits/rate-limits.ts';
import type { Logger } from '../logger.ts';
import { readJsonBody } from './body.ts';
import { clientAddress, truncatedAddress } from './client-address.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { queryOf } from './query.ts';
import { logRefusal } from './refusals.ts';
import { invalidInput, isGuess, problemHeaders, problemOf, toDomainError } from './problem.ts';
import type { Actor, Authenticate } from '../actor.ts';
import type { Route } from './route.ts';

export interface PipelineDeps {
  authenticate: Authenticate;
  /** Throws `reauth-required`; asked where an endpoint says `freshSignIn`. */
  requireFreshSignIn: (actor: Actor) => Promise<void>;
  limits: RateLimits;
  /** Proxies that stand before this server. */
  trustedHops: number;
  /** Apps below it are told to update; 0: none. */
  minAppBuild: number;
  log: Logger;
  /** Resolves when the other processes have been told what was changed here, or cannot be; see `Bus`. */
  announced: () => Promise<void> | undefined;
  metrics: HttpMetrics;
  /** Tests check every answer against its schema; a mismatch is an `internal` problem. */
  validateAnswers: boolean;
  phase: () => Phase;
  /** Throws `overloaded`. */
  requireCapacity: () => void;
}

export type Respond = (
  route: Route,
  req: IncomingMessage,
  res: ServerResponse,
  params: Record<string, string>,
) => Promise<void>;

/**
 * One way from a request to an answer for every endpoint: token, input, handler, answer or problem.
 * It knows Node's request and response only, so Express and the lean listener share it to the letter.
 */
export const createPipeline = (deps: PipelineDeps): Respond => {
  const { authenticate, limits, metrics, minAppBuild, validateAnswers } = deps;

  /** Counts the call and says so in its headers; throws `rate-limited`. At once where the store answers at once. */
  const take = (res: ServerResponse, scope: RateScope, id: string, rateClass: RateClass) => {
    const settle = (state: RateState | undefined) => {
      if (!state) return;
      res.setHeader('RateLimit-Policy', state.policy);
      res.setHeader('RateLimit', state.limit);
      if (!state.allowed) throw rateLimited(state);
    };
    const counted = limits.take(scope, id, rateClass);
    if (counted instanceof Promise) return counted.then(settle);
    settle(counted);
    return undefined;
  };

  const actorOf = async (req: IncomingMessage, res: ServerResponse, bearer: string | undefined) => {
    try {
      return await requireActor(authenticate, bearer);
    } catch (error) {
      if (isGuess(error)) await take(res, 'address', clientAddress(req, deps.trustedHops), 'refused');
      throw error;
    }
  };

  return async (route, req, res, params) => {
    const startedAt = performance.now();
    const requestId = newUuid();
    // Most requests log nothing, and a child logger costs more than their input.
    let log: Logger | undefined;
    const ownLog = () =>
      (log ??= deps.log.child({
        requestId,
        network: truncatedAddress(clientAddress(req, deps.trustedHops)),
      }));
    let actor: Actor | undefined;
    res.setHeader('X-Request-Id', requestId);
    try {
      if (deps.phase() === 'starting' && route.spec.tag !== 'service')
        throw new DomainError('not-ready', {
          detail: 'The server is starting. Send the same request again.',
          retryAfterSeconds: 1,
        });
      // What watches this process is answered while it is overloaded too.
      if (rateClassOf(route.spec) !== 'none') deps.requireCapacity();
      const bearer = bearerOf(req);
      actor = route.spec.auth === 'user' ? await actorOf(req, res, bearer) : undefined;
      const counted = actor
        ? take(res, 'person', actor.userId, rateClassOf(route.spec))
        : take(res, 'address', clientAddress(req, deps.trustedHops), rateClassOf(route.spec));
      if (counted) await counted;
      if (route.spec.addressRate)
        await take(res, 'address', clientAddress(req, deps.trustedHops), route.spec.addressRate);
      requireAppBuild(req, route.spec, minAppBuild);
      if (route.spec.freshSignIn && actor) await deps.requireFreshSignIn(actor);
      const input = {
        params: parse(route.spec.params, params),
        query: parse(route.spec.query, queryOf(req.url ?? '/', route.spec.query)),
        body: await readBody(route.spec, req),
      };
      const answer = await route.handle({
        input,
        actor: actor as never,
        bearer,
        get log() {
          return ownLog();
        },
      } as never);
      // The next call may come to another process. Puffs do not wait: every process finds them in the log.
      if (route.spec.method !== 'GET' && route.spec.tag !== 'puffs') await deps.announced();
      if (validateAnswers) checkAnswer(route.spec, answer);
      closeWhileDraining(res, deps.phase());
      sendJson(res, answer.status, answer.body);
    } catch (thrown) {
      // A refresh token that was used twice is refused, and has ended its session.
      if (route.spec.tag === 'auth') await deps.announced();
      closeWhileDraining(res, deps.phase());
      logRefusal(thrown, { where: `${route.spec.method} ${route.spec.path}`, actor, log: ownLog });
      sendProblem(res, thrown, requestId, ownLog());
    }
    metrics.answered(route.spec, res.statusCode, performance.now() - startedAt);
  };
};

/** A client that keeps its connection would keep this process from ending. */
const closeWhileDraining = (res: ServerResponse, phase: Phase) => {
  if (phase === 'draining' && !res.headersSent) res.setHeader('Connection', 'close');
};

const requireActor = async (authenticate: Authenticate, bearer: string | undefined): Promise<Actor> => {
  if (bearer === undefined)
    throw new DomainError('unauthenticated', { detail: 'Send `Authorization: Bearer <accessToken>`.' });
  return authenticate(bearer);
};

const bearerOf = (req: IncomingMessage): string | undefined =>
  /^Bearer ([^\s]+)$/i.exec(req.headers.authorization ?? '')?.[1];

/** `X-App-Build`, where an app sends it; what is no number says nothing. */
const requireAppBuild = ({ headers }: IncomingMessage, spec: EndpointSpec, minAppBuild: number) => {
  const build = headers['x-app-build'];
  if (typeof build !== 'string' || !/^[0-9]{1,12}$/.test(build)) return;
  if (Number(build) < minAppBuild && !acceptsAnyBuild(spec))
    throw new DomainError('upgrade-required', {
      detail: `This needs build ${minAppBuild} of the app or a newer one. Puffs are still recorded.`,
    });
};

const readBody = async (spec: EndpointSpec, req: IncomingMessage): Promise<unknown> => {
  if (!mayHaveBody(spec)) return undefined;
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

const sendJson = (res: ServerResponse, status: number, body: unknown) => {
  res.statusCode = status;
  if (body === undefined) {
    res.end();
    return;
  }
  const json = JSON.stringify(body);
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(json));
  res.end(json);
};

/** Answers with problem+json; logs what only the operator can mend. */
export const sendProblem = (res: ServerResponse, thrown: unknown, requestId: string, log: Logger): void => {
  const error = toDomainError(thrown);
  if (error.code === 'internal') log.error({ err: error.cause }, 'request failed');
  else if (error.details.cause !== undefined)
    log.warn({ err: error.details.cause, code: error.code }, 'request refused');
  if (res.headersSent || res.destroyed) return;
  const json = JSON.stringify(problemOf(error, requestId));
  res.statusCode = problemOf(error, requestId).status;
  for (const [name, value] of Object.entries(problemHeaders(error))) res.setHeader(name, value);
  res.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(json));
  res.end(json);
};
