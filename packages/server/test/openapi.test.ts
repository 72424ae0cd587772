import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  endpoints,
  Problem,
  type EndpointName,
  type EndpointSpec,
  type ProblemCode,
} from '@pufftrack/contract';
import type { z } from 'zod';
import { asyncApiDocument } from '../../../openapi/asyncapi.ts';
import { openApiDocument } from '../../../openapi/document.ts';
import { operationTexts } from '../../../openapi/operations/index.ts';
import { problemExample, problemMeanings } from '../../../openapi/problems.ts';
import { withNullableScalars } from '../../../openapi/nullable.ts';

const committed: unknown = JSON.parse(
  readFileSync(new URL('../../../openapi/openapi.json', import.meta.url), 'utf8'),
);
const document = JSON.parse(JSON.stringify(openApiDocument())) as {
  paths: Record<string, Record<string, { security: object[]; responses: Record<string, unknown> }>>;
};

const refsIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner),
  );
};

describe('the OpenAPI document', () => {
  it('is the committed one', () => {
    expect(committed).toEqual(document);
  });

  it.each(Object.entries<EndpointSpec>(endpoints))(
    'describes %s with its token and its answers',
    (_name, spec) => {
      const operation = document.paths[spec.path.replaceAll(/:(\w+)/g, '{$1}')]?.[spec.method.toLowerCase()];
      expect(operation?.security).toEqual(spec.auth === 'user' ? [{ accessToken: [] }] : []);
      expect(Object.keys(operation?.responses ?? {})).toEqual(
        expect.arrayContaining(Object.keys(spec.responses)),
      );
    },
  );

  it('names no schema that is not there', () => {
    const missing = refsIn(document).filter((ref) => {
      const steps = ref.replace('#/', '').split('/');
      return (
        steps.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document) ===
        undefined
      );
    });
    expect(missing).toEqual([]);
  });
});

const unionsIn = (value: unknown): Record<string, unknown>[][] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    (key === 'anyOf' || key === 'oneOf') && Array.isArray(inner)
      ? [inner as Record<string, unknown>[], ...unionsIn(inner)]
      : unionsIn(inner),
  );
};

interface Example {
  request?: unknown;
  response?: Readonly<Record<number, unknown>>;
}

describe('descriptions and examples of operations', () => {
  const sentence = /^[A-Z0-9`].*[.]$/s;

  it.each(Object.entries<EndpointSpec>(endpoints))('%s describes itself and every status', (name, spec) => {
    const operation = document.paths[spec.path.replaceAll(/:(\w+)/g, '{$1}')]?.[
      spec.method.toLowerCase()
    ] as unknown as { description: string; responses: Record<string, { description: string }> };
    expect(operation.description).toMatch(sentence);
    expect(operationTexts[name as EndpointName].description).toBe(operation.description);
    for (const { description } of Object.values(operation.responses)) expect(description).toMatch(sentence);
  });

  it.each(Object.entries<EndpointSpec>(endpoints))(
    '%s has valid examples for all its bodies',
    (name, spec) => {
      const text: Example = operationTexts[name as EndpointName];
      const bodies: [z.ZodType | null, unknown][] = [
        [spec.body ?? null, text.request],
        ...Object.entries(spec.responses).map(([status, schema]): [z.ZodType | null, unknown] => [
          schema,
          text.response?.[Number(status)],
        ]),
      ];
      // A schema drops what it does not know, so an unknown member of an example shows as a difference.
      expect(bodies.map(([schema, example]) => (schema ? schema.parse(example) : undefined))).toEqual(
        bodies.map(([, example]) => example),
      );
    },
  );

  it.each(Object.keys(problemMeanings) as ProblemCode[])(
    'the problem %s has a sentence and a valid example',
    (code) => {
      expect(problemMeanings[code]).toMatch(sentence);
      expect(Problem.parse(problemExample(code))).toEqual(problemExample(code));
    },
  );
});

describe('values that may be null', () => {
  it.each([
    ['OpenAPI', document],
    ['AsyncAPI', JSON.parse(JSON.stringify(asyncApiDocument())) as unknown],
  ])('are no unions in %s where they are scalars', (_name, whole) => {
    const scalars = ['string', 'number', 'integer', 'boolean'];
    const nullable = unionsIn(whole).filter((members) => members.some(({ type }) => type === 'null'));
    expect(nullable.length).toBeGreaterThan(0);
    expect(nullable.filter((members) => members.some(({ type }) => scalars.includes(String(type))))).toEqual(
      [],
    );
    expect(JSON.stringify(whole)).toContain('"type":["string","null"]');
  });

  const nothing = { type: 'null' };
  it.each([
    [{ anyOf: [{ type: 'integer', minimum: 1 }, nothing] }, { type: ['integer', 'null'], minimum: 1 }],
    [{ oneOf: [nothing, { type: 'string' }] }, { type: ['string', 'null'] }],
    [
      { anyOf: [{ type: 'string', enum: ['a', 'b'] }, nothing] },
      { type: ['string', 'null'], enum: ['a', 'b', null] },
    ],
    [{ anyOf: [{ type: 'string', const: 'a' }, nothing] }, { type: ['string', 'null'], enum: ['a', null] }],
    [
      { description: 'outer', anyOf: [{ type: 'string', description: 'inner', example: 'x' }, nothing] },
      { type: ['string', 'null'], description: 'outer', example: 'x' },
    ],
    [
      { anyOf: [{ type: 'object', properties: { a: { anyOf: [{ type: 'boolean' }, nothing] } } }, nothing] },
      { anyOf: [{ type: 'object', properties: { a: { type: ['boolean', 'null'] } } }, nothing] },
    ],
  ])('%j becomes %j', (before, after) => {
    expect(withNullableScalars(before)).toEqual(after);
  });

  it.each([
    { anyOf: [{ $ref: '#/x' }, nothing] },
    { anyOf: [{ type: 'string' }, { type: 'integer' }, nothing] },
    { anyOf: [{ type: 'string' }, { type: 'integer' }] },
    { type: ['string', 'null'] },
  ])('%j stays', (schema) => {
    expect(withNullableScalars(schema)).toEqual(schema);
  });
});
