import { describe, expect, it } from '@jest/globals';
import { endpoints } from '@pufftrack/contract';
import type { Route } from '../platform/http/route.ts';
import { requireRoutes } from './targets.ts';

describe('the endpoints of a process', () => {
  const routeOf = (spec: Route['spec']): Route => ({ spec, handle: () => Promise.reject(new Error()) });
  const specs = [endpoints.recordPuff, endpoints.listPuffs];

  it('are all served', () => {
    expect(() => {
      requireRoutes(specs, specs.map(routeOf));
    }).not.toThrow();
  });

  it('stop the start where a hot one has no route', () => {
    expect(() => {
      requireRoutes(specs, [routeOf(endpoints.listPuffs)]);
    }).toThrow('No route serves POST /puffs, which is declared hot: add route(');
  });

  it('stop the start where another one has no route', () => {
    expect(() => {
      requireRoutes(specs, [routeOf(endpoints.recordPuff)]);
    }).toThrow('No route serves GET /puffs: add route(');
  });
});
