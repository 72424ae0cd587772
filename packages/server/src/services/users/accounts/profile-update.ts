import { trusted, type PipelineStage } from 'mongoose';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { Profile } from './user.ts';

/**
 * Entries of a history of zones: 100 moves a year for ten years. Every entry decides the local day of the instants in it,
 * so none can be left out; the history is read with the user, so it has to stay small.
 */
export const maxZonePeriods = 1_000;

export const zonesFull = (): DomainError =>
  new DomainError('limit-reached', {
    detail: `The history of time zones is full: it has ${maxZonePeriods} entries.`,
    limit: maxZonePeriods,
  });

/** What a user has to match for a change of the profile: room for another zone, or the same zone as before. */
export const hasRoomFor = ({ timeZone }: Partial<Profile>): Record<string, unknown> =>
  timeZone === undefined
    ? {}
    : trusted({
        $or: [{ timeZone }, { [`timeZones.${maxZonePeriods - 1}`]: trusted({ $exists: false }) }],
      });

/**
 * What a change of a profile at `at` (ms) does to the document of its person.
 *
 * A zone that is set again is no move: a phone that sends its whole profile at each start would grow the list without
 * end. What it is compared with is read in the same step, so the list always ends with the zone in force.
 */
export const profileUpdate = ({ timeZone, ...others }: Partial<Profile>, at: number): PipelineStage.Set[] => {
  // What people write may begin with `$`, which is the name of a field here.
  const literal = (value: unknown) => ({ $literal: value });
  const moved = { timeZone: literal(timeZone), from: new Date(at) };
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
              { $concatArrays: ['$timeZones', [moved]] },
            ],
          },
        }),
      },
    },
  ];
};
