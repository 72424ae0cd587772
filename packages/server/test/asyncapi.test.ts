import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { clientEvents, Notification, serverEvents } from '@pufftrack/contract';
import type { z } from 'zod';
import { clientEventExamples, serverEventExamples } from '../../../openapi/event-examples.ts';
import { asyncApiDocument } from '../../../openapi/asyncapi.ts';

const committed: unknown = JSON.parse(
  readFileSync(new URL('../../../openapi/asyncapi.json', import.meta.url), 'utf8'),
);
const document = JSON.parse(JSON.stringify(asyncApiDocument())) as {
  operations: Record<string, { action: string; reply?: object }>;
  components: {
    messages: Record<string, { summary?: string; payload?: object }>;
    schemas: Record<string, { properties: object }>;
  };
};

const refsIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner),
  );
};
const at = (ref: string) =>
  ref
    .replace('#/', '')
    .split('/')
    .reduce<unknown>((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], document);

describe('the AsyncAPI document', () => {
  it('is the committed one', () => {
    expect(committed).toEqual(document);
  });

  it.each(Object.keys(serverEvents))('says that the server sends %s, and what it is for', (name) => {
    expect(document.operations[`send-${name}`]?.action).toBe('send');
    expect(document.components.messages[name]?.summary).toMatch(/\w/);
    expect(document.components.messages[name]?.payload).toBeDefined();
  });

  it.each(Object.keys(clientEvents))('says that it takes %s, and how that is acknowledged', (name) => {
    const operation = document.operations[`receive-${name}`];
    expect(operation).toMatchObject({ action: 'receive', reply: expect.any(Object) });
    expect(document.components.messages[name]?.payload).toBeDefined();
  });

  it.each([
    ...Object.entries<z.ZodType>(serverEvents).map(
      ([name, schema]) => [name, schema, serverEventExamples[name as keyof typeof serverEvents]] as const,
    ),
    ...Object.entries<z.ZodType>(clientEvents).map(
      ([name, schema]) => [name, schema, clientEventExamples[name as keyof typeof clientEvents]] as const,
    ),
  ])('has a description and a valid example of %s', (name, schema, example) => {
    expect(document.components.messages[name]?.summary).toMatch(/^[A-Z`].*[.]$/);
    expect(document.components.messages[name]).toMatchObject({ examples: [{ payload: example }] });
    // A schema drops what it does not know, so an unknown member of an example shows as a difference.
    expect(schema.parse(example)).toEqual(example);
  });

  it('leaves out no property of a schema', () => {
    expect(Object.keys(document.components.schemas['Notification']?.properties ?? {})).toEqual(
      Object.keys(Notification.shape),
    );
  });

  it('names nothing that is not there', () => {
    expect(refsIn(document).filter((ref) => at(ref) === undefined)).toEqual([]);
  });
});
