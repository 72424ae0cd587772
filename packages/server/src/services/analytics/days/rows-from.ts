import { trusted, type QueryFilter } from 'mongoose';

/**
 * A filter for the rows of each person whose `field` is at least the given value, or for all rows of a person without
 * one. Both parts are answered by an index on (userId, field).
 */
export const rowsFrom = (
  field: string,
  starts: ReadonlyMap<string, number | undefined>,
): QueryFilter<{ userId: string }> => {
  const whole = [...starts].flatMap(([userId, start]) => (start === undefined ? [userId] : []));
  return trusted({
    $or: [
      ...(whole.length > 0 ? [{ userId: trusted({ $in: whole }) }] : []),
      ...[...starts].flatMap(([userId, start]) =>
        start === undefined ? [] : [{ userId, [field]: trusted({ $gte: start }) }],
      ),
    ],
  });
};
