import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express } from 'express';
import helmet from 'helmet';
import { DomainError } from '../edge/errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { assignRequestId, requestIdOf, sendProblem } from '../edge/answers.ts';
import { clientAddress, truncatedAddress } from '../edge/client-address.ts';
import { defaultConnectionLimits, guardConnections, type ConnectionLimits } from './connections.ts';
import { answerCors, type OriginPolicy } from '../edge/origins.ts';
import { createPipeline, showLimit, type PipelineDeps } from './pipeline.ts';
import { answerProtocolErrors } from './protocol-errors.ts';
import { refuseUrlTokens } from '../edge/query.ts';
import type { Route } from './route.ts';

export interface HttpDeps extends PipelineDeps {
  routes: readonly Route[];
  /** Pages that are no part of the contract (docs); mounted before the 404. */
  pages: readonly ((app: Express) => void)[];
  isOriginAllowed: OriginPolicy;
  /** Whether a socket server answers the upgrades of its path; otherwise they are answered here. */
  hasSockets: boolean;
  /** Where the connections are counted. */
  connectionMetrics: Metrics;
  /** Tests need shorter times. */
  connectionLimits?: Partial<ConnectionLimits>;
}

/** The HTTP server of a process: one listener, all routes through one pipeline. Not listening yet. */
export const createHttpServer = (deps: HttpDeps): Server => {
  const respond = createPipeline(deps);
  const secure = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
  });

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('etag', false);
  app.use((_req, res, next) => {
    res.setHeader('Cache-Control', 'no-store');
    next();
  });
  app.use((req, res, next) => {
    try {
      refuseUrlTokens(req.url);
      next();
    } catch (error) {
      secure(req, res, () => {
        next(error);
      });
    }
  });
  for (const page of deps.pages) page(app);
  app.use(secure);
  mountRoutes(app, deps.routes, respond);
  app.use(() => {
    throw new DomainError('not-found', { detail: 'No such endpoint.' });
  });
  /** A call of no endpoint counts for its address; throws `rate-limited` beyond it. */
  const countBadRequest = async (req: IncomingMessage, res: ServerResponse) => {
    const state = await deps.limits.take('address', clientAddress(req, deps.trustedHops), 'bad-request');
    if (state && !state.allowed) showLimit(res, state);
  };
  const refuse = (req: IncomingMessage, res: ServerResponse, error: unknown) => {
    const network = truncatedAddress(clientAddress(req, deps.trustedHops));
    // A page chooses headers of its own; a problem in its place has those of every answer.
    if (!res.headersSent) secure(req, res, () => undefined);
    sendProblem(res, error, deps.log.child({ requestId: requestIdOf(res), network }));
    deps.metrics.unmatched(res.statusCode);
  };
  const onError: ErrorRequestHandler = (error, req, res, _next) => {
    countBadRequest(req, res).then(
      () => {
        refuse(req, res, error);
      },
      (limited: unknown) => {
        refuse(req, res, limited);
      },
    );
  };
  app.use(onError);

  const hotRoutes = hotRoutesOf(deps.routes);
  /** Headers of every answer that no page of its own sets. */
  const prepare = (req: IncomingMessage, res: ServerResponse) => {
    res.setHeader('Cache-Control', 'no-store');
    secure(req, res, () => undefined);
  };
  const refusePreflight = (req: IncomingMessage, res: ServerResponse) => {
    prepare(req, res);
    countBadRequest(req, res).then(
      () => {
        res.statusCode = 204;
        res.end();
      },
      (limited: unknown) => {
        refuse(req, res, limited);
      },
    );
  };
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    connections.began({ req, res });
    assignRequestId(res);
    if (req.headers.host === undefined && req.httpVersion === '1.1') {
      prepare(req, res);
      refuse(
        req,
        res,
        new DomainError('malformed', { detail: 'Send a Host header (RFC 9112 section 3.2).' }),
      );
      return;
    }
    const cors = answerCors(req, res, deps.isOriginAllowed);
    if (cors === 'answered') return;
    if (cors === 'refused') {
      refusePreflight(req, res);
      return;
    }
    const route = hotRoutes.get(`${req.method ?? ''} ${req.url ?? ''}`);
    if (!route) {
      app(req, res);
      return;
    }
    prepare(req, res);
    void respond(route, req, res, {});
  };

  const limits = { ...defaultConnectionLimits, ...deps.connectionLimits };
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      // Bodies are bound by `Connections`, which also knows their rate; this is above it.
      requestTimeout: limits.headersMs + limits.transferMs + limits.drainMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      // Checked above, with an answer that Node does not give.
      requireHostHeader: false,
    },
    listener,
  );
  const connections = guardConnections(server, {
    limits,
    hasSockets: deps.hasSockets,
    trustedHops: deps.trustedHops,
    metrics: deps.connectionMetrics,
  });
  answerProtocolErrors(server, {
    connections,
    hasSockets: deps.hasSockets,
    listener,
    refuse(req, res, error) {
      if (!res.hasHeader('X-Request-Id')) assignRequestId(res);
      prepare(req, res);
      refuse(req, res, error);
    },
    counted: deps.metrics.unmatched,
  });
  return server;
};

/**
 * The routes of the fast path by method and URL, answered without Express (docs/adr/0003): a URL with anything more, a
 * query for example, takes the other path to the same pipeline. Throws where a hot endpoint cannot be found by its URL.
 */
const hotRoutesOf = (routes: readonly Route[]): Map<string, Route> => {
  const hot = routes.filter(({ spec }) => spec.hot);
  for (const { spec } of hot)
    if (spec.path.includes(':') || spec.query)
      throw new Error(
        `${spec.method} ${spec.path} is declared hot; a hot endpoint takes no parameters and no query.`,
      );
  return new Map(hot.map((route) => [`${route.spec.method} ${route.spec.path}`, route]));
};

/** Path by path, fixed ones before those with parameters, each with its 405 at the end. */
const mountRoutes = (app: Express, routes: readonly Route[], respond: ReturnType<typeof createPipeline>) => {
  const paths = new Map<string, Route[]>();
  for (const route of routes) paths.set(route.spec.path, [...(paths.get(route.spec.path) ?? []), route]);
  const parameters = (path: string) => path.split(':').length;
  for (const [path, own] of [...paths].sort(([one], [other]) => parameters(one) - parameters(other))) {
    for (const route of own) {
      const verb = route.spec.method.toLowerCase() as Lowercase<typeof route.spec.method>;
      app[verb](path, (req, res) => respond(route, req, res, req.params as Record<string, string>));
    }
    const methods = own.map(({ spec }) => spec.method).join(', ');
    app.all(path, (_req, res) => {
      res.setHeader('Allow', methods);
      throw new DomainError('method-not-allowed', { detail: `Allowed here: ${methods}.` });
    });
  }
};
