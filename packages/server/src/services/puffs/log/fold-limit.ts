/**
 * How long (ms) the database may work on one read of a fold. The first read of a long log on a cold cache takes more
 * than `readLimitMs`; with the driver's margin this still ends within the deadline of a request.
 */
export const foldLimit = { maxTimeMS: 10_000 } as const;

/** `foldLimit` in a request, `backgroundLimit` in a job. */
export interface ReadLimit {
  readonly maxTimeMS: number;
}
