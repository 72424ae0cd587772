import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express } from 'express';
import helmet from 'helmet';
import { DomainError } from '../errors.ts';
import { newUuid } from '../ids.ts';
import { answerCors, type MayCall } from './origins.ts';
import { createPipeline, sendProblem, type PipelineDeps } from './pipeline.ts';
import { queryNamesOf, refuseUrlTokens } from './query.ts';
import type { Route } from './route.ts';

export interface HttpDeps extends PipelineDeps {
  routes: readonly Route[];
  /** Pages that are no part of the contract (docs); mounted before the 404. */
  pages: readonly ((app: Express) => void)[];
  mayCall: MayCall;
}

/** The hot calls. They are answered without Express; see docs/adr/0003 for what that buys. */
const lean = new Set(['POST /puffs', 'POST /puffs/batch']);

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
      refuseUrlTokens(queryNamesOf(req.url));
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
    throw new DomainError('not-found', { detail: 'There is nothing at this address; see /docs.' });
  });
  const onError: ErrorRequestHandler = (error, _req, res, _next) => {
    const requestId = newUuid();
    res.setHeader('X-Request-Id', requestId);
    sendProblem(res, error, requestId, deps.log.child({ requestId }));
    deps.metrics.unmatched(res.statusCode);
  };
  app.use(onError);

  const leanRoutes = new Map<string, Route>(
    deps.routes
      .map((route) => [`${route.spec.method} ${route.spec.path}`, route] as const)
      .filter(([address]) => lean.has(address)),
  );
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    if (answerCors(req, res, deps.mayCall)) return;
    const route = leanRoutes.get(`${req.method ?? ''} ${req.url ?? ''}`);
    if (!route) {
      app(req, res);
      return;
    }
    res.setHeader('Cache-Control', 'no-store');
    secure(req, res, () => undefined);
    void respond(route, req, res, {});
  };

  const server = createServer(
    { requestTimeout: 15_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    listener,
  );
  return server;
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
      throw new DomainError('method-not-allowed', { detail: `This address takes ${methods}.` });
    });
  }
};
