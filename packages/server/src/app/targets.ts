import type { EndpointSpec } from '@pufftrack/contract';
import type { Route } from '../platform/http/route.ts';
import type { Job } from '../platform/scheduler/job.ts';
import type { Services } from './services.ts';

/** What a target opens to the world. The domain code of every service is linked into every process anyway. */
interface Edges {
  /** Whose endpoints it opens, all of them; those of `service` are open everywhere. */
  readonly tags: readonly EndpointSpec['tag'][];
  readonly routes: (services: Services) => readonly Route[];
  /** Work on a schedule; the processes of a target share it. */
  readonly jobs?: (services: Services) => readonly Job[];
  /** The socket server, with the events of every service. */
  readonly sockets?: true;
  /** Documentation pages. */
  readonly pages?: true;
}

/** The services that a process can serve, picked by `TARGETS` (docs/architecture.md). */
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
} as const satisfies Record<string, Edges>;

export type TargetName = keyof typeof targets;
export const targetNames = Object.keys(targets) as [TargetName, ...TargetName[]];

/** The edges that these targets open together. */
export const edgesOf = (names: readonly TargetName[], services: Services) => {
  const edges: Edges[] = names.map((name) => targets[name]);
  return {
    routes: edges.flatMap((edge) => edge.routes(services)),
    jobs: edges.flatMap((edge) => edge.jobs?.(services) ?? []),
    sockets: edges.some((edge) => edge.sockets),
    pages: edges.some((edge) => edge.pages),
  };
};
