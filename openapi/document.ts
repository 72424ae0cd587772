import {
  BatchPuffInput,
  endpoints,
  Problem,
  problemsOf,
  problemStatus,
  type EndpointSpec,
  type ProblemCode,
} from '@pufftrack/contract';
import { createDocument, type ZodOpenApiOperationObject } from 'zod-openapi';
import { withNullableScalars } from './nullable.ts';

/**
 * OpenAPI 3.1 of every endpoint in the contract. Text lives in the schemas and nowhere else. `servers` is neutral; a
 * running server replaces it by its `PUBLIC_URL`.
 */
export const openApiDocument = (): unknown => {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [name, spec] of Object.entries<EndpointSpec>(endpoints)) {
    const path = spec.path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operationOf(name, spec) };
  }
  const document = createDocument({
    openapi: '3.1.1',
    info: {
      title: 'PuffTrack',
      version: '0.1.0',
      description: 'The backend for people who want to vape or smoke less. Errors are RFC 9457 problems.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    components: {
      // Named by the batch, whose items are checked one by one and so have no schema of their own in it.
      schemas: { BatchPuffInput },
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    paths: paths,
  });
  return withNullableScalars(document);
};

const operationOf = (name: string, spec: EndpointSpec): ZodOpenApiOperationObject => ({
  operationId: name,
  tags: [spec.tag],
  summary: spec.summary,
  security: spec.auth === 'user' ? [{ accessToken: [] }] : [],
  ...((spec.params ?? spec.query) && {
    requestParams: { ...(spec.params && { path: spec.params }), ...(spec.query && { query: spec.query }) },
  }),
  ...(spec.body && {
    requestBody: {
      required: spec.bodyOptional !== true,
      content: { 'application/json': { schema: spec.body } },
    },
  }),
  responses: { ...successes(spec), ...failures(spec) },
});

const successes = (spec: EndpointSpec) =>
  Object.fromEntries(
    Object.entries(spec.responses).map(([status, schema]) => [
      status,
      schema === null
        ? { description: 'Done; no body.' }
        : {
            description: Number(status) < 400 ? 'Done.' : 'Not now.',
            content: { 'application/json': { schema } },
          },
    ]),
  );

/** One response for each status, which names the codes that can stand in it. */
const failures = (spec: EndpointSpec) => {
  const codesByStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(spec)) {
    const status = problemStatus[code];
    if (status in spec.responses) continue;
    codesByStatus.set(status, [...(codesByStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...codesByStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\``).join(', '),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  );
};
