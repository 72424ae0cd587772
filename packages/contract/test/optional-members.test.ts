import { describe, expect, it } from '@jest/globals';
import { BatchPuffInput, clientEvents, endpoints, type EndpointSpec } from '@pufftrack/contract';
import type { z } from 'zod';

/** Members whose null has a meaning of its own, which their description or that of their object states. */
const clearing = [
  ...['patchMe', 'putMe'].flatMap((call) =>
    ['name', 'timeZone', 'locale', 'dayStartHour', 'weekStart', 'product', 'defaultShareLevel'].map(
      (member) => `${call}.${member}`,
    ),
  ),
  ...['dailyLimit', 'plan', 'quitAt'].map((member) => `putGoal.${member}`),
  'editPuff.trigger',
  'putNotificationPreferences.quietHours',
];

type Json = Record<string, unknown>;
const defOf = (schema: z.ZodType) => schema.def as unknown as Record<string, unknown> & { type: string };
const innerOf = (schema: z.ZodType) => (defOf(schema)['innerType'] ?? defOf(schema)['in']) as z.ZodType;
const isOptional = (schema: z.ZodType) => schema.safeParse(undefined).success;

/** The schema without what says that it may be absent or null. */
const bare = (schema: z.ZodType): z.ZodType =>
  ['optional', 'nullable', 'catch', 'default'].includes(defOf(schema).type) ? bare(innerOf(schema)) : schema;

const shapeOf = (schema: z.ZodType) =>
  Object.entries((defOf(schema)['shape'] ?? {}) as Record<string, z.ZodType>);

/** A value with nothing that may be left out. */
const least = (schema: z.ZodType): unknown => {
  const plain = bare(schema);
  const def = defOf(plain);
  if (def.type === 'object')
    return Object.fromEntries(
      shapeOf(plain).flatMap(([key, inner]) => (isOptional(inner) ? [] : [[key, least(inner)]])),
    );
  if (def.type === 'array') return [least(def['element'] as z.ZodType)];
  if (def.type === 'union') return least((def['options'] as z.ZodType[])[0] as z.ZodType);
  const entries = Object.values((def['entries'] ?? {}) as Json);
  const candidates = [plain.meta()?.['example'], ...entries, 'abcd', '12:00', 7, true, {}];
  return candidates.find((candidate) => plain.safeParse(candidate).success);
};

/** Every optional member of a body, with the least body of which only its place is missing. */
const membersOf = (
  schema: z.ZodType,
  path: string[] = [],
): { path: string[]; place: (value: unknown) => unknown }[] => {
  const plain = bare(schema);
  const def = defOf(plain);
  if (def.type === 'union')
    return (def['options'] as z.ZodType[]).flatMap((option) => membersOf(option, path));
  if (def.type === 'array')
    return membersOf(def['element'] as z.ZodType, [...path, '0']).map((member) => ({
      ...member,
      place: (value) => [member.place(value)],
    }));
  if (def.type === 'record') {
    const values = def['valueType'] as z.ZodType;
    const [key = 'key'] = Object.values(
      (defOf(def['keyType'] as z.ZodType)['entries'] ?? {}) as Record<string, string>,
    );
    return isOptional(values) ? [{ path: [...path, key], place: (value) => ({ [key]: value }) }] : [];
  }
  if (def.type !== 'object') return [];
  const base = least(plain) as Json;
  return shapeOf(plain).flatMap(([key, inner]) => [
    ...(isOptional(inner)
      ? [{ path: [...path, key], place: (value: unknown) => ({ ...base, [key]: value }) }]
      : []),
    ...membersOf(inner, [...path, key]).map((member) => ({
      ...member,
      place: (value: unknown) => ({ ...base, [key]: member.place(value) }),
    })),
  ]);
};

const bodies: [string, z.ZodType][] = [
  ...Object.entries<EndpointSpec>(endpoints).flatMap(([name, { body }]): [string, z.ZodType][] =>
    body ? [[name, body]] : [],
  ),
  ['recordPuffBatch item', BatchPuffInput],
  ...Object.entries<z.ZodType>(clientEvents).map(([name, schema]): [string, z.ZodType] => [
    `socket ${name}`,
    schema,
  ]),
];
const members = bodies.flatMap(([call, schema]) =>
  membersOf(schema).map(({ path, place }) => ({ name: `${call}.${path.join('.')}`, schema, place })),
);

/** JSON knows no undefined: a member that is absent and one that is undefined are the same to a handler. */
const withoutUndefined = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
const parsed = (schema: z.ZodType, value: unknown) => {
  const result = schema.safeParse(value);
  return result.success ? withoutUndefined(result.data) : { refused: result.error.issues };
};

describe('null for an optional member of a request', () => {
  it('is tried for the members of every call and event', () => {
    const names = members.map(({ name }) => name);
    for (const name of [
      'signInWithApple.user.name.firstName',
      'signInWithApple.consents',
      'recordPuff.timeZone',
      'recordPuffBatch item.quantity',
      'socket puff.trigger',
      'socket undo.id',
      'logout.refreshToken',
      'putGoal.plan.baseline',
      'putNotificationPreferences.categories.friend-request',
    ])
      expect(names).toContain(name);
  });

  it.each(members.filter(({ name }) => !clearing.includes(name)))(
    'means absent: $name',
    ({ schema, place }) => {
      expect(parsed(schema, place(null))).toEqual(parsed(schema, withoutUndefined(place(undefined))));
    },
  );

  it('is tried on bodies that are accepted without the member, but where one of two is required', () => {
    const refused = members.filter(({ schema, place }) => !schema.safeParse(place(undefined)).success);
    expect(refused.map(({ name }) => name)).toEqual(['readNotifications.ids', 'readNotifications.all']);
  });

  it('has a meaning of its own in these members alone', () => {
    const own = members.filter(({ schema, place }) =>
      JSON.stringify(parsed(schema, place(null))).includes('null'),
    );
    expect(own.map(({ name }) => name).sort()).toEqual([...clearing].sort());
  });
});
