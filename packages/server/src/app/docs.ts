import { readFileSync } from 'node:fs';
import type { Express } from 'express';
import helmet from 'helmet';
import swaggerUi from 'swagger-ui-express';

/** Generated from the contract and committed; `npm run check` fails where it is not fresh. */
const openApiFile = new URL('../../../../openapi/openapi.json', import.meta.url);

/** `/openapi.json`, and Swagger UI under `/docs`. */
export const docsPages = (app: Express): void => {
  const document = JSON.parse(readFileSync(openApiFile, 'utf8')) as swaggerUi.JsonObject;
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
