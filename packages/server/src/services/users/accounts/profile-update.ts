import type { Document, Filter } from 'mongodb';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { UserDoc } from './user-documents.ts';
import type { Profile } from './user.ts';

/**
 * Entries of a history of time zones: 100 moves a year for ten years. Each entry decides the local day of the instants in
 * it, so no entry can be dropped; the history is read with the user, so it has to stay small.
 */
export const maxZonePeriods = 1_000;

export const zonesFull = (): DomainError =>
  new DomainError('limit-reached', {
    detail: `The history of time zones is full: it has ${maxZonePeriods} entries.`,
    limit: maxZonePeriods,
  });

/** The filter for a change of the profile: room for another zone, or the same zone as before. */
export const hasRoomFor = ({ timeZone }: Partial<Profile>): Filter<UserDoc> =>
  timeZone === undefined
    ? {}
    : {
        $or: [{ timeZone }, { [`timeZones.${maxZonePeriods - 1}`]: { $exists: false } }],
      };

/**
 * The update pipeline for a change of a profile at `at` (ms).
 *
 * An equal zone adds no entry: a client that sends its whole profile at each start would grow the list without bound. The
 * comparison is part of the same update, so the list always ends with the zone in force.
 */
export const profileUpdate = ({ timeZone, ...others }: Partial<Profile>, at: number): Document[] => {
  // A text may begin with `$`, which would be the name of a field here.
  const literal = (value: unknown) => ({ $literal: value });
  const entry = { timeZone: literal(timeZone), from: new Date(at) };
  return [
    {
      $set: {
        ...Object.fromEntries(Object.entries(others).map(([field, value]) => [field, literal(value)])),
        settingsVersion: { $add: ['$settingsVersion', 1] },
        ...(timeZone !== undefined && {
          timeZone: literal(timeZone),
          timeZones: {
            $cond: [
              { $eq: ['$timeZone', literal(timeZone)] },
              '$timeZones',
              { $concatArrays: ['$timeZones', [entry]] },
            ],
          },
        }),
      },
    },
  ];
};
