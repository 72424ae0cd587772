/** What a flood is given. Everything stays on loopback, and ends with the signal. */
export interface FloodTarget {
  readonly url: string;
  /** Aborted when the flood has to end. */
  readonly signal: AbortSignal;
  /** Access tokens of accounts that the attacker has. */
  readonly tokens: readonly string[];
}

/** One way to keep a server busy. It runs in a process of its own, see `flood-process.ts`. */
export interface Flood {
  /** As `npm run test:attack -- <name>` takes it. */
  readonly name: string;
  /** Resolves with the number of attempts once the signal is aborted and nothing of it is open. */
  run(target: FloodTarget): Promise<number>;
}

/**
 * Repeats `attempt` in so many loops at once until the signal. A failed attempt is one too: the server may close a
 * connection at any time.
 */
export const repeat = async (
  signal: AbortSignal,
  loops: number,
  attempt: () => Promise<unknown>,
): Promise<number> => {
  let attempts = 0;
  const loop = async () => {
    while (!signal.aborted) {
      attempts += 1;
      await attempt().catch(() => undefined);
      // Attempts that fail at once leave no room for anything else.
      await new Promise(setImmediate);
    }
  };
  await Promise.all(Array.from({ length: loops }, loop));
  return attempts;
};
