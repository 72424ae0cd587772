/** Messages between processes. They are hints: whatever depends on one is also repaired without it. */
export interface Bus {
  /**
   * Sends to every other process, in the order of the calls. It never throws and never waits: what cannot be sent is
   * dropped, and the others are notified of the gap.
   */
  publish(channel: string, message: object): void;
  /** The messages of the other processes, in the order in which each of them published. */
  on(channel: string, listener: (message: unknown) => void): void;
  /** Something may be missing: called at every sequence gap, when an outage ends, and every 5 s while it lasts. */
  onGap(listener: () => void): void;
  /**
   * Resolves when what was published so far has been sent or dropped, a quarter of a second later at most; undefined
   * where nothing is on its way.
   */
  flushed(): Promise<void> | undefined;
}

/** For a process that is the only one. */
export const noBus: Bus = {
  publish: () => undefined,
  on: () => undefined,
  onGap: () => undefined,
  flushed: () => undefined,
};
