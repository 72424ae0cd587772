import type { Document } from 'mongodb';

/**
 * A filter for the rows of each person whose `field` is at least the given value, or for all rows of a person without
 * one. Both parts are answered by an index on (userId, field).
 */
export const rowsFrom = (
  field: string,
  starts: ReadonlyMap<string, number | undefined>,
): { $or: Document[] } => {
  const whole = [...starts].flatMap(([userId, start]) => (start === undefined ? [userId] : []));
  return {
    $or: [
      ...(whole.length > 0 ? [{ userId: { $in: whole } }] : []),
      ...[...starts].flatMap(([userId, start]) =>
        start === undefined ? [] : [{ userId, [field]: { $gte: start } }],
      ),
    ],
  };
};
