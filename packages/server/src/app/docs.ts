import { readFileSync } from 'node:fs';
import type { Express, RequestHandler } from 'express';
import helmet from 'helmet';
import swaggerUi from 'swagger-ui-express';
import { DomainError } from '../platform/edge/errors.ts';

/** Generated from the contract and committed; `npm run check` fails where they are not fresh. */
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../../openapi/${name}`, import.meta.url), 'utf8'));

/** `/openapi.json` for clients of `publicUrl`, `/asyncapi.json`, and Swagger UI under `/docs`. */
export const docsPages =
  (publicUrl: string) =>
  (app: Express): void => {
    const document = read('openapi.json') as swaggerUi.JsonObject;
    const served = { ...document, servers: [{ url: publicUrl.replace(/\/+$/, '') }] };
    const asyncDocument = read('asyncapi.json');
    const secure = helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          // Swagger UI sets styles on elements, and draws its icons from data addresses.
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:'],
          connectSrc: ["'self'"],
          frameAncestors: ["'none'"],
        },
      },
      // The page is served over http in development, where an upgrade would lead nowhere.
      strictTransportSecurity: false,
    });
    app.use(['/openapi.json', '/asyncapi.json', '/docs'], refuseWrites);
    app.get('/openapi.json', secure, (_req, res) => {
      res.json(served);
    });
    app.get('/asyncapi.json', secure, (_req, res) => {
      res.json(asyncDocument);
    });
    // The page calls its own origin, whichever of the server's names it was opened by; its policy allows no other.
    const page = swaggerUi.setup(document, {
      customSiteTitle: 'PuffTrack API',
      swaggerOptions: { persistAuthorization: true, tryItOutEnabled: true },
    });
    app.use('/docs', secure, refusePackageJson, swaggerUi.serve);
    app.get('/docs', page);
    app.use('/docs', notFound);
  };

const refuseWrites: RequestHandler = (req, res, next) => {
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('Allow', 'GET, HEAD');
    throw new DomainError('method-not-allowed', { detail: 'This page takes GET and HEAD.' });
  }
  next();
};

/** The library answers this name by itself. */
const refusePackageJson: RequestHandler = (req, _res, next) => {
  if (req.path.endsWith('/package.json')) notFound();
  next();
};

const notFound = () => {
  throw new DomainError('not-found', { detail: 'There is no such file; see /docs.' });
};
