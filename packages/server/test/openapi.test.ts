import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { endpoints, type EndpointSpec } from '@pufftrack/contract';
import { openApiDocument } from '../../../openapi/document.ts';

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
