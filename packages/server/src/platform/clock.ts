/** Where time comes from. Injected everywhere, so that tests and the demo own time. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
