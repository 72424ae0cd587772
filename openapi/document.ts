import {
  BatchPuffInput,
  endpoints,
  Problem,
  problemsOf,
  problemStatus,
  type EndpointName,
  type EndpointSpec,
  type ProblemCode,
} from '@pufftrack/contract';
import { createDocument, type ZodOpenApiOperationObject } from 'zod-openapi';
import { withNullableScalars } from './nullable.ts';
import { operationTexts } from './operations/index.ts';
import { problemExample, problemMeanings } from './problems.ts';

/**
 * OpenAPI 3.1 of every endpoint in the contract. What concerns one property is described in its schema; rules and examples
 * of an operation are in operations/. `servers` is neutral; a running server replaces it by its `PUBLIC_URL`.
 */
export const openApiDocument = (): unknown => {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [name, spec] of Object.entries<EndpointSpec>(endpoints)) {
    const path = spec.path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operationOf(name as EndpointName, spec) };
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
      examples: Object.fromEntries(
        Object.keys(problemStatus).map((code) => [
          `problem-${code}`,
          {
            summary: problemMeanings[code as ProblemCode],
            value: problemExample(code as ProblemCode),
          },
        ]),
      ),
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    paths: paths,
  });
  return withNullableScalars(document);
};

interface Text {
  description: string;
  request?: unknown;
  answers: Readonly<Record<number, string>>;
  response?: Readonly<Record<number, unknown>>;
}

const operationOf = (name: EndpointName, spec: EndpointSpec): ZodOpenApiOperationObject => {
  const text = operationTexts[name] as Text | undefined;
  if (!text) throw new Error(`${name} has no text: add it to the file of its topic in openapi/operations/.`);
  return {
    operationId: name,
    tags: [spec.tag],
    summary: spec.summary,
    description: text.description,
    security: spec.auth === 'user' ? [{ accessToken: [] }] : [],
    ...((spec.params ?? spec.query) && {
      requestParams: { ...(spec.params && { path: spec.params }), ...(spec.query && { query: spec.query }) },
    }),
    ...(spec.body && {
      requestBody: {
        required: spec.bodyOptional !== true,
        content: {
          'application/json': {
            schema: spec.body,
            ...(text.request !== undefined && { example: text.request }),
          },
        },
      },
    }),
    responses: { ...successes(spec, text), ...failures(spec) },
  };
};

const successes = (spec: EndpointSpec, text: Text) =>
  Object.fromEntries(
    Object.entries(spec.responses).map(([status, schema]) => [
      status,
      {
        description: text.answers[Number(status)] ?? '',
        ...(schema !== null && {
          content: { 'application/json': { schema, example: text.response?.[Number(status)] } },
        }),
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
        description: codes.map((code) => `\`${code}\`: ${problemMeanings[code]}`).join('\n\n'),
        content: {
          'application/problem+json': {
            schema: Problem,
            examples: Object.fromEntries(
              codes.map((code) => [code, { $ref: `#/components/examples/problem-${code}` }]),
            ),
          },
        },
      },
    ]),
  );
};
