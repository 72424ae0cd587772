import { readFileSync } from 'node:fs';
import type { Express } from 'express';
import helmet from 'helmet';
import swaggerUi from 'swagger-ui-express';

/** Generated from the contract and committed; `npm run check` fails where they are not fresh. */
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../../openapi/${name}`, import.meta.url), 'utf8'));

/** `/openapi.json` and `/asyncapi.json`, and Swagger UI under `/docs`. */
export const docsPages = (app: Express): void => {
  const document = read('openapi.json') as swaggerUi.JsonObject;
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
  app.get('/openapi.json', secure, (_req, res) => {
    res.json(document);
  });
  app.get('/asyncapi.json', secure, (_req, res) => {
    res.json(asyncDocument);
  });
  app.use(
    '/docs',
    secure,
    swaggerUi.serve,
    swaggerUi.setup(document, {
      customSiteTitle: 'PuffTrack API',
      swaggerOptions: { persistAuthorization: true, tryItOutEnabled: true },
    }),
  );
};
