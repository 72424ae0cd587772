import type { IncomingMessage } from 'node:http';
import { defaultBodyLimit, mayHaveBody, type EndpointSpec } from '@pufftrack/contract';
import type { z } from 'zod';
import type { Deadline } from '../concurrency/deadline.ts';
import { DomainError } from '../edge/errors.ts';
import { invalidInput } from '../edge/problem.ts';
import { queryOf } from '../edge/query.ts';
import { readJsonBody } from './body.ts';

/** Parameters, query and body of a request, validated by the endpoint's schemas; undefined where it declares none. */
export type Input = Awaited<ReturnType<typeof readInput>>;

/** Throws `invalid`, `malformed` and what `readJsonBody` throws. */
export const readInput = async (
  spec: EndpointSpec,
  req: IncomingMessage,
  params: Record<string, string>,
  deadline: Deadline,
) => ({
  params: parse(spec.params, params),
  query: parse(spec.query, queryOf(req.url ?? '/', spec.query)),
  // Reading a body from a slow client does not count; it has its own limits.
  body: mayHaveBody(spec) ? await deadline.without(readBody(spec, req)) : undefined,
});

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
