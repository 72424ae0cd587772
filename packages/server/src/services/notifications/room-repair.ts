import type { Logger } from '../../platform/logger.ts';

/** Few at a time: it runs when something is wrong already. */
const peopleAtOnce = 10;
const maxLooks = 3;

/**
 * Looks after the rooms of everybody with a socket here. `repair` says whether it moved one; then it is asked again, so
 * that what changed between its look and its move is seen too.
 */
export const roomRepair = (deps: {
  people: () => readonly string[];
  repair: (userId: string) => Promise<boolean>;
  log: Logger;
}): (() => void) => {
  /** Calls since the last round began; 0: nothing is under way. */
  let calls = 0;

  const repairOne = async (userId: string) => {
    for (let look = 0; look < maxLooks; look += 1) if (!(await deps.repair(userId))) return;
  };
  const repairAll = async () => {
    const people = [...deps.people()];
    for (let from = 0; from < people.length; from += peopleAtOnce)
      await Promise.all(people.slice(from, from + peopleAtOnce).map(repairOne));
  };
  const run = async () => {
    for (let seen = 0; seen !== calls;) {
      seen = calls;
      await repairAll();
    }
  };

  return () => {
    calls += 1;
    if (calls > 1) return;
    void run()
      .catch((error: unknown) => {
        deps.log.warn({ event: 'sockets.repair_failed', err: error }, 'rooms were not looked after');
      })
      .finally(() => {
        calls = 0;
      });
  };
};
