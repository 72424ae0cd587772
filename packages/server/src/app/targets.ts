import { endpoints, type EndpointSpec } from '@pufftrack/contract';
import type { Route } from '../platform/http/route.ts';
import type { Job } from '../platform/scheduler/job.ts';
import type { TargetName } from '../target-names.ts';
import type { Services } from './services.ts';

/** The entry points that a target exposes. The domain code of every service is linked into every process anyway. */
interface Edges {
  /** All endpoints with these tags; endpoints with the tag `service` are exposed everywhere. */
  readonly tags: readonly EndpointSpec['tag'][];
  readonly routes: (services: Services) => readonly Route[];
  /** Scheduled jobs; the processes of one target share them. */
  readonly jobs?: (services: Services) => readonly Job[];
  /** The socket server, with the events of every service. */
  readonly sockets?: true;
  /** Documentation pages. */
  readonly pages?: true;
}

/** What a process can expose, selected by `TARGETS` (docs/architecture.md). */
export const targets = {
  auth: { tags: ['auth'], routes: ({ auth }) => auth.routes, jobs: ({ auth }) => auth.jobs },
  users: {
    tags: ['users', 'friends'],
    routes: ({ users }) => users.routes,
    jobs: ({ users }) => users.jobs,
  },
  puffs: { tags: ['puffs'], routes: ({ puffs }) => puffs.routes, jobs: ({ puffs }) => puffs.jobs },
  analytics: {
    tags: ['analytics'],
    routes: ({ analytics }) => analytics.routes,
    jobs: ({ analytics }) => analytics.jobs,
  },
  notifications: {
    tags: ['notifications'],
    routes: ({ notifications }) => notifications.routes,
    jobs: ({ notifications }) => notifications.jobs,
    sockets: true,
  },
  coaching: {
    tags: ['coaching'],
    routes: ({ coaching }) => coaching.routes,
    jobs: ({ coaching }) => coaching.jobs,
  },
  web: { tags: [], routes: () => [], pages: true },
} as const satisfies Record<TargetName, Edges>;

/** The edges of these targets together. */
export const edgesOf = (names: readonly TargetName[], services: Services) => {
  const edges: Edges[] = names.map((name) => targets[name]);
  const routes = edges.flatMap((edge) => edge.routes(services));
  requireRoutes(
    Object.values(endpoints).filter(({ tag }) => edges.some(({ tags }) => tags.includes(tag))),
    routes,
  );
  return {
    routes,
    jobs: edges.flatMap((edge) => edge.jobs?.(services) ?? []),
    sockets: edges.some((edge) => edge.sockets),
    pages: edges.some((edge) => edge.pages),
  };
};

/** Throws where an endpoint of the contract has no route, so that neither it nor its fast path is missing unnoticed. */
export const requireRoutes = (specs: readonly EndpointSpec[], routes: readonly Route[]): void => {
  const served = new Set(routes.map(({ spec }) => spec));
  const [missing] = specs.filter((spec) => !served.has(spec));
  if (missing)
    throw new Error(
      `No route serves ${missing.method} ${missing.path}${missing.hot ? ', which is declared hot' : ''}: add route(endpoints.<name>, ...) to the *-routes.ts of its room.`,
    );
};
