import { endpoints } from '@pufftrack/contract';
import type { Phase } from '../platform/lifecycle.ts';
import { answer, route, type Route } from '../platform/http/route.ts';

/** trust.md REL-9: live says that the loop turns, ready that requests can be answered now. */
export const healthRoutes = (deps: {
  phase: () => Phase;
  isDatabaseReachable: () => Promise<boolean>;
}): Route[] => [
  route(endpoints.healthLive, () => Promise.resolve(answer(200, { status: 'live' as const }))),
  route(endpoints.healthReady, async () => {
    const database = await deps.isDatabaseReachable();
    const dependencies = { mongodb: database ? ('up' as const) : ('down' as const) };
    return database && deps.phase() === 'open'
      ? answer(200, { status: 'ready' as const, dependencies })
      : answer(503, { status: 'not-ready' as const, dependencies });
  }),
  route(endpoints.healthStartup, () =>
    Promise.resolve(
      deps.phase() === 'starting'
        ? answer(503, { status: 'starting' as const })
        : answer(200, { status: 'started' as const }),
    ),
  ),
];
