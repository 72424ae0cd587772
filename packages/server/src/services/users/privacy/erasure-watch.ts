import type { Logger } from '../../../platform/telemetry/logger.ts';
import { createPoller, type Poller } from '../../../platform/concurrency/poller.ts';

const everyMs = 2_000;

/**
 * Lets this process learn of accounts that another one has ended, by a look at the open erasures every 2 s. It needs no
 * bus: where there is one the news may come sooner, and where it is lost this repairs it.
 */
export const createErasureWatch = (deps: { check: () => Promise<void>; log: Logger }): Poller =>
  createPoller({
    poll: deps.check,
    everyMs,
    onFailed(error) {
      deps.log.warn({ event: 'users.erasure_watch_failed', err: error }, 'erasures were not looked for');
    },
  });
