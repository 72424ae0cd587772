import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument } from '../../../openapi/asyncapi.ts';
import { openApiDocument } from '../../../openapi/document.ts';

/** Names that say everything about their value in every body. */
const selfEvident = [
  'accessToken',
  'firstName',
  'friendId',
  'friendName',
  'id',
  'lastName',
  'message',
  'name',
  'refreshToken',
  'status',
  'timeZone',
  'title',
  'tokenType',
  'userId',
];

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The properties of a document that have no description, each with its place. */
const withoutDescription = (document: Json): string[] => {
  const resolve = (ref: string) =>
    ref
      .replace('#/', '')
      .split('/')
      .reduce<unknown>((at, step) => (at as Json)[step], document);

  /** An object and a list of objects are described by their properties, which are checked on their own. */
  const isDescribed = (schema: unknown): boolean => {
    if (!isObject(schema)) return false;
    if (typeof schema['description'] === 'string' && schema['description'] !== '') return true;
    if (typeof schema['$ref'] === 'string') return isDescribed(resolve(schema['$ref']));
    if (isObject(schema['properties'])) return true;
    if (schema['type'] === 'array') return isDescribed(schema['items']);
    const members = (schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf']) as unknown[] | undefined;
    return (
      members?.filter((member) => !isObject(member) || member['type'] !== 'null').every(isDescribed) ?? false
    );
  };

  const walk = (value: unknown, place: string): string[] => {
    if (Array.isArray(value)) return value.flatMap((each, index) => walk(each, `${place}/${index}`));
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([key, inner]) => {
      if (key === 'example' || key === 'examples') return [];
      if (key !== 'properties' || !isObject(inner)) return walk(inner, `${place}/${key}`);
      return Object.entries(inner).flatMap(([name, schema]) => [
        ...(isDescribed(schema) || selfEvident.includes(name) ? [] : [`${place}: ${name}`]),
        ...walk(schema, `${place}/${name}`),
      ]);
    });
  };
  return walk(document, '');
};

const asJson = (document: unknown) => JSON.parse(JSON.stringify(document)) as Json;

describe('properties of bodies and answers', () => {
  it.each([
    ['OpenAPI', asJson(openApiDocument())],
    ['AsyncAPI', asJson(asyncApiDocument())],
  ])('have a description or a self-evident name in %s', (_name, document) => {
    const missing = withoutDescription(document);
    expect(missing.map((property) => `add .meta({ description }) to ${property}`)).toEqual([]);
  });

  it.each([
    ['a plain value', { type: 'integer' }],
    ['a nullable value', { anyOf: [{ type: 'integer' }, { type: 'null' }] }],
    ['a list of plain values', { type: 'array', items: { type: 'integer' } }],
    ['a reference to a value without one', { $ref: '#/components/schemas/Plain' }],
    ['a member of an object', { type: 'object', properties: { inner: { type: 'integer' } } }],
  ])('are found without a description: %s', (_case, schema) => {
    const document = {
      components: { schemas: { Plain: { type: 'string' } } },
      properties: { outer: schema },
    };
    expect(withoutDescription(document)).toHaveLength(1);
  });
});
