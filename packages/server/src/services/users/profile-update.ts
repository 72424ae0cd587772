import type { PipelineStage } from 'mongoose';
import type { Profile } from './user.ts';

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
