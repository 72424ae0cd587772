import { LocalServiceError } from '../local-service-error.ts';

export interface Place {
  name: string;
  /** The path of the program; throws an Error whose message says why this place has none. */
  find(): Promise<string>;
}

/**
 * Returns the path from the first place that has the program.
 * @throws LocalServiceError that lists every place with its reason; the reason of `signal` when it aborts
 */
export const searchPlaces = async (options: {
  what: string;
  advice: string;
  places: readonly Place[];
  signal?: AbortSignal | undefined;
}): Promise<{ path: string }> => {
  const reasons: string[] = [];
  for (const place of options.places) {
    try {
      return { path: await place.find() };
    } catch (error) {
      options.signal?.throwIfAborted();
      reasons.push(`\n  - ${place.name}: ${(error as Error).message}`);
    }
  }
  throw new LocalServiceError(`${options.what} was not found${reasons.join('')}\n${options.advice}`);
};
