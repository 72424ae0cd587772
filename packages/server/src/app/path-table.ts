import { endpoints, type EndpointSpec } from '@pufftrack/contract';
import { targetNames, type TargetName } from '../target-names.ts';
import { targets } from './targets.ts';

/** A path of the contract (parameters as `:name`) and the target that answers it, whatever the method. */
export interface PathEntry {
  readonly path: string;
  readonly target: TargetName;
}

/** Where Socket.IO listens; everything under it goes to the target with the sockets. */
export const socketPath = '/socket.io/';

const edges = (name: TargetName): { tags: readonly string[]; sockets?: true; pages?: true } => targets[name];
const targetWith = (opens: (name: TargetName) => boolean): TargetName => {
  const found = targetNames.find(opens);
  if (!found) throw new Error('No target opens this.');
  return found;
};

export const socketTarget = targetWith((name) => edges(name).sockets === true);
/** Answers what no other target does: pages, what every process can answer, and that there is nothing. */
export const defaultTarget = targetWith((name) => edges(name).pages === true);

const parameters = (path: string) => path.split(':').length;

/**
 * How a load balancer splits the API over the targets, from the endpoint declarations; to be tried in this order, fixed
 * paths first. What matches no entry goes to `defaultTarget`.
 */
export const pathTable = (): PathEntry[] => {
  const specs: readonly EndpointSpec[] = Object.values(endpoints);
  const table = new Map<string, TargetName>();
  for (const { path, tag } of specs) {
    if (tag === 'service') continue;
    const target = targetWith((name) => edges(name).tags.includes(tag));
    const known = table.get(path);
    if (known !== undefined && known !== target)
      throw new Error(`${path} is declared for ${known} and ${target}; a path can go to one of them only.`);
    table.set(path, target);
  }
  return [...table]
    .map(([path, target]) => ({ path, target }))
    .sort(
      (one, other) => parameters(one.path) - parameters(other.path) || one.path.localeCompare(other.path),
    );
};

/** `/friends/:userId` as `^/friends/[^/]+$`, in the words that JavaScript and PCRE share. */
export const patternOf = (path: string): string =>
  `^${path.replaceAll('.', '\\.').replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`;

const patterns = pathTable().map(({ path, target }) => ({ pattern: new RegExp(patternOf(path)), target }));

/**
 * The target for the path of a request, without its query.
 *
 * targetOf('/friends/leaderboard') is analytics, targetOf('/friends/abc') users, targetOf('/nowhere') web.
 */
export const targetOf = (path: string): TargetName =>
  path.startsWith(socketPath)
    ? socketTarget
    : (patterns.find(({ pattern }) => pattern.test(path))?.target ?? defaultTarget);
