import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endpoints, type EndpointName, type EndpointSpec } from '@pufftrack/contract';
import {
  matrix,
  notSignedIn,
  openRequest,
  type Caller,
  type Row,
  type Target,
} from './authorization-matrix.ts';
import { startAuthorizationWorld, type AuthorizationWorld } from './authorization-world.ts';

describe('the authorization matrix (API-0)', () => {
  let world: AuthorizationWorld;

  beforeAll(async () => {
    world = await startAuthorizationWorld();
  });
  afterAll(() => world.app.close());

  const answerOf = async (spec: EndpointSpec, target: Target, caller: Caller) => {
    const token = world.tokenOf(caller);
    const path = spec.path.replace(/:(\w+)/g, (_match, name: string) => target.params?.[name] ?? 'x');
    const answer = await fetch(`${world.app.url}${path}?${target.query ?? ''}`, {
      method: spec.method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(target.body && { 'content-type': 'application/json' }),
      },
      ...(target.body && { body: JSON.stringify(target.body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };

  const cells = Object.entries<EndpointSpec>(endpoints).flatMap(([name, spec]) => {
    const row = matrix[name as EndpointName] as Row | undefined;
    if (!row) return [];
    const rejected = Object.fromEntries(notSignedIn.map((caller) => [caller, 401]));
    const expected: Row['expect'] = spec.auth === 'user' ? { ...rejected, ...row.expect } : row.expect;
    return Object.entries(expected).map(([caller, status]) => ({
      name: name as EndpointName,
      caller: caller as Caller,
      status,
      spec,
    }));
  });

  it.each(cells)('$name answers $status to $caller', async ({ name, caller, status, spec }) => {
    const target = (await matrix[name].target?.(world)) ?? {};
    const answer = await answerOf(spec, target, caller);
    expect(answer.status).toBe(status);
    // A client deletes its local data on this code (domain.md D2).
    const isAccountGone = caller === 'a deleted account' && spec.auth === 'user';
    expect(answer.text.includes('"account-gone"')).toBe(isAccountGone);
  });

  it('has a row for every endpoint', () => {
    const withoutRow = Object.keys(endpoints).filter((name) => !(name in matrix));
    expect(withoutRow.map((name) => `add "${name}: { ... }" to "matrix" in authorization-matrix.ts`)).toEqual(
      [],
    );
  });

  it('answers an unknown id like the id of another user (API-1)', async () => {
    const requestId = await openRequest(world);
    const bodyOf = async (id: string) => {
      const answer = await fetch(`${world.app.url}/friends/accept`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${world.tokenOf('stranger') ?? ''}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ requestId: id }),
      });
      return { ...((await answer.json()) as object), requestId: '', instance: '' };
    };
    expect(await bodyOf(requestId)).toEqual(await bodyOf('0'.repeat(26)));
  });
});
