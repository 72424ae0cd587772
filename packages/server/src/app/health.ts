import { endpoints } from '@pufftrack/contract';
import type { Phase } from '../platform/lifecycle.ts';
import { answer, route, type Route } from '../platform/http/route.ts';

/** trust.md REL-9: live says that the loop turns, ready that requests can be answered now. */
export const healthRoutes = (deps: {
  phase: () => Phase;
  isDatabaseReachable: () => Promise<boolean>;
  redis: () => 'up' | 'down' | 'off';
}): Route[] => [
  route(endpoints.healthLive, () => Promise.resolve(answer(200, { status: 'live' as const }))),
  route(endpoints.healthReady, async () => {
    const database = await deps.isDatabaseReachable();
    const redis = deps.redis();
    const dependencies = { mongodb: database ? ('up' as const) : ('down' as const), redis };
    if (!database || deps.phase() !== 'open')
      return answer(503, { status: 'not-ready' as const, dependencies });
    // Without Redis everything is answered; only live events of other processes are missing.
    return answer(200, {
      status: redis === 'down' ? ('degraded' as const) : ('ready' as const),
      dependencies,
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
