import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection, type Connection } from 'mongoose';
import { endpoints, type EndpointSpec } from '@pufftrack/contract';
import { servicesAlone } from '../../test/services-alone.ts';
import { systemClock } from '../platform/clock.ts';
import { pathTable, targetOf } from './path-table.ts';
import type { Services } from './services.ts';
import { targetNames, type TargetName } from '../target-names.ts';
import { edgesOf } from './targets.ts';

const specs: readonly EndpointSpec[] = Object.values(endpoints);

describe('the path table', () => {
  let connection: Connection;
  let services: Services;

  beforeAll(() => {
    // Never connected: what is opened is known without a database.
    connection = createConnection();
    services = servicesAlone(connection, systemClock);
  });
  afterAll(() => connection.close());

  const opened = (names: readonly TargetName[]) =>
    edgesOf(names, services).routes.map(({ spec }) => `${spec.method} ${spec.path}`);

  it.each(targetNames)('sends to %s exactly what it opens', (name) => {
    const sent = specs
      .filter(({ tag, path }) => tag !== 'service' && targetOf(path.replaceAll(/:\w+/g, 'x')) === name)
      .map(({ method, path }) => `${method} ${path}`);
    expect(opened([name]).sort()).toEqual(sent.sort());
  });

  it('leaves no endpoint out and opens none twice', () => {
    const all = specs.filter(({ tag }) => tag !== 'service');
    expect(opened(targetNames).sort()).toEqual(all.map(({ method, path }) => `${method} ${path}`).sort());
    expect(new Set(pathTable().map(({ path }) => path))).toEqual(new Set(all.map(({ path }) => path)));
  });

  it.each<[string, TargetName]>([
    ['/friends/leaderboard', 'analytics'],
    ['/friends/3f2a', 'users'],
    ['/puffs/3f2a/restore', 'puffs'],
    ['/puffs/3f2a/other', 'web'],
    ['/socket.io/', 'notifications'],
    ['/.well-known/jwks.json', 'auth'],
    ['/xwell-known/jwksxjson', 'web'],
    ['/config', 'web'],
    ['/', 'web'],
  ])('%s goes to %s', (path, target) => {
    expect(targetOf(path)).toBe(target);
  });
});
