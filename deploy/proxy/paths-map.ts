import {
  defaultTarget,
  pathTable,
  patternOf,
  socketPath,
  socketTarget,
} from '../../packages/server/src/app/path-table.ts';

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
