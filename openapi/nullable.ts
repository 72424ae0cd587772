type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNull = (schema: unknown): boolean =>
  isObject(schema) && schema['type'] === 'null' && Object.keys(schema).length === 1;

const scalarTypes: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean']);

/** The one scalar beside null in a union, if that is what the union is. */
const nullableScalar = (union: unknown): Json | undefined => {
  if (!Array.isArray(union) || union.length !== 2 || !union.some(isNull)) return undefined;
  const scalar: unknown = union.find((member) => !isNull(member));
  return isObject(scalar) && scalarTypes.has(scalar['type']) ? scalar : undefined;
};

/** `enum` and `const` hold for every type, so null has to be among their values. */
const withNull = ({ type, const: constant, enum: values, ...rest }: Json): Json => ({
  type: [type, 'null'],
  ...(Array.isArray(values) && { enum: [...(values as unknown[]), null] }),
  ...(constant !== undefined && { enum: [constant, null] }),
  ...rest,
});

/**
 * A JSON Schema document with `type: [x, 'null']` in place of `anyOf` or `oneOf` for scalars that may be null: client
 * generators make an optional value of the former and a union class of the latter. References and objects stay unions.
 */
export const withNullableScalars = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withNullableScalars);
  if (!isObject(value)) return value;
  const { anyOf, oneOf, ...rest } = value;
  const scalar = nullableScalar(anyOf ?? oneOf);
  // Annotations beside the union are nearer to the property than those of its member.
  const schema = scalar ? { ...withNull(scalar), ...rest } : value;
  return Object.fromEntries(Object.entries(schema).map(([key, inner]) => [key, withNullableScalars(inner)]));
};
