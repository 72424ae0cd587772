import { endpoints } from '@pufftrack/contract';
import type { Phase } from '../platform/lifecycle.ts';
import { answer, route, type Route } from '../platform/http/route.ts';
import { installedZoneRules } from '../domain/zone-rules.ts';

/** `/health/ready` is public and has no rate limit, so its cost to the database is bounded here. */
const databaseProbeEveryMs = 1_000;

/** REL-9: live says that the loop turns, ready that requests can be answered now. */
export const healthRoutes = (deps: {
  phase: () => Phase;
  isDatabaseReachable: () => Promise<boolean>;
  takesWrites: () => boolean;
  redis: () => 'up' | 'down' | 'off';
}): Route[] => {
  const isDatabaseReachable = sampled(deps.isDatabaseReachable, {
    everyMs: databaseProbeEveryMs,
    now: () => performance.now(),
  });
  return [
    route(endpoints.healthLive, () => Promise.resolve(answer(200, { status: 'live' as const }))),
    route(endpoints.healthReady, async () => {
      const database = (await isDatabaseReachable()) && deps.takesWrites();
      const redis = deps.redis();
      const dependencies = { mongodb: database ? ('up' as const) : ('down' as const), redis };
      const facts = { dependencies, zoneRules: installedZoneRules };
      if (!database || deps.phase() !== 'open')
        return answer(503, { status: 'not-ready' as const, ...facts });
      // Without Redis everything is answered; only live events of other processes are missing.
      return answer(200, {
        status: redis === 'down' ? ('degraded' as const) : ('ready' as const),
        ...facts,
      });
    }),
    route(endpoints.healthStartup, () =>
      Promise.resolve(
        deps.phase() === 'starting'
          ? answer(503, { status: 'starting' as const })
          : answer(200, { status: 'started' as const }),
      ),
    ),
  ];
};

/**
 * Runs `probe` at most once in `everyMs` and never twice at the same time. All other calls share its last result, or
 * the one under way. `now` is a monotonic clock in ms.
 */
export const sampled = <T>(
  probe: () => Promise<T>,
  { everyMs, now }: { everyMs: number; now: () => number },
): (() => Promise<T>) => {
  let latest: Promise<T> | undefined;
  let startedAt = 0;
  let isRunning = false;
  return () => {
    if (latest && (isRunning || now() - startedAt < everyMs)) return latest;
    startedAt = now();
    isRunning = true;
    latest = probe().finally(() => {
      isRunning = false;
    });
    return latest;
  };
};
