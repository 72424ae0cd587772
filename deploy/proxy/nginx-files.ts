import {
  defaultTarget,
  pathTable,
  patternOf,
  socketPath,
  socketTarget,
} from '../../packages/server/src/app/path-table.ts';
import { targetNames, type TargetName } from '../../packages/server/src/target-names.ts';

/** `paths.map` for nginx: the path table of the program, fixed paths as strings and those with parameters as patterns. */
export const pathsMap = (): string => {
  const line = ({ path, target }: { path: string; target: string }) =>
    path.includes(':') ? `"~${patternOf(path)}" ${target};` : `"${path}" ${target};`;
  return [
    '# Made by `npm run generate` from the endpoint declarations; which target answers which path.',
    `default ${defaultTarget};`,
    `"~^${socketPath}" ${socketTarget};`,
    ...pathTable().map(line),
    '',
  ].join('\n');
};

const keepalive = (connections: number) => `keepalive ${connections};`;

/** By target: how nginx connects to its processes. A target without an entry does not compile. */
const upstreamOptions: Record<TargetName, string> = {
  auth: keepalive(32),
  users: keepalive(32),
  puffs: keepalive(64),
  analytics: keepalive(32),
  // Sockets stay open for hours: the process with the fewest gets the next one.
  notifications: 'least_conn;',
  coaching: keepalive(32),
  web: keepalive(8),
};

/** `upstreams.conf` for nginx: one upstream per target. The processes of a target share its name as their host name. */
export const upstreams = (): string =>
  [
    '# Made by `npm run generate` from the target names; stands inside `http`.',
    ...targetNames.map(
      (target) => `upstream ${target} { server ${target}:3000; ${upstreamOptions[target]} }`,
    ),
    '',
  ].join('\n');
