// @not-split: reads the metrics of one process
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { endpoints, type EndpointSpec } from '@pufftrack/contract';
import { targetNames } from '@pufftrack/server';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';

const figuresOf = async (url: string): Promise<string> => {
  const answer = await fetch(`${url}/metrics`);
  const type = answer.headers.get('content-type') ?? 'no type';
  if (answer.status !== 200 || !type.startsWith('text/plain; version=0.0.4'))
    throw new Error(`no metrics: ${answer.status}, ${type}`);
  return answer.text();
};

const refused = (call: Promise<unknown>): Promise<void> =>
  call.then(
    () => {
      throw new Error('the call succeeded');
    },
    () => undefined,
  );

/** The value of a series; labels in any order. Undefined where there is no such series. */
const valueOf = (figures: string, name: string, labels: Record<string, string> = {}): number | undefined => {
  for (const line of figures.split('\n')) {
    const [, found, inner = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const given = new Map([...inner.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]));
    if (found === name && Object.entries(labels).every(([key, text]) => given.get(key) === text))
      return Number(value);
  }
  return undefined;
};

describe('metrics', () => {
  let app: TestApp;
  let [alice, bob]: Person[] = [];
  let figures: string;

  beforeAll(async () => {
    // One process, whose figures they are. Writes: 12 a minute and person.
    app = await startTestApp({
      targets: targetNames,
      edge: { rateLimitScale: 0.1 },
      metrics: { port: 0 },
    });
    [alice, bob] = [await app.person('alice'), await app.person('bob')];
    await createFriendship(alice, bob, { one: 'live' });
    const id = randomUUID();
    for (const body of [{ id }, { id }]) await alice.client.call('recordPuff', { body });
    await refused(alice.client.call('recordPuff', { body: { timestamp: '2030-01-01T00:00:00Z' } }));
    const timestamp = '2026-10-21T09:00:00Z';
    await alice.client.call('recordPuffBatch', {
      body: { puffs: [{ id, timestamp }, { id: randomUUID(), timestamp }, { id: 'none' }] as never },
    });
    const socket = await bob.connect();
    await socket.puff();
    await refused(socket.puff({ quantity: 0 }));
    const anonymous = app.client().connect();
    await refused(anonymous.connected);
    anonymous.close();
    await alice.client.call('editPuff', { params: { id }, body: { quantity: 2 } });
    for (const path of ['/nowhere/private', '/puffs/private/x', '/users/me?trigger=private'])
      await fetch(`${app.url}${path}`);
    for (let call = 0; call < 14; call++)
      await bob.client.call('patchMe', { body: {} }).catch(() => undefined);
    await app.jobs.run('reconcile');
    await app.drain();
    figures = await figuresOf(`http://127.0.0.1:${app.metricsPort ?? 0}`);
    socket.close();
  });
  afterAll(() => app.close());

  it.each<[string, Record<string, string>, number]>([
    ['puffs_total', { outcome: 'created' }, 3],
    ['puffs_total', { outcome: 'duplicate' }, 2],
    ['puffs_total', { outcome: 'rejected' }, 2],
    ['http_request_duration_seconds_count', { method: 'POST', route: '/puffs', status: '2xx' }, 2],
    ['http_request_duration_seconds_count', { method: 'POST', route: '/puffs', status: '4xx' }, 1],
    ['http_request_duration_seconds_count', { method: 'PATCH', route: '/puffs/:id', status: '2xx' }, 1],
    ['http_request_duration_seconds_count', { method: 'GET', route: '/users/me', status: '4xx' }, 1],
    ['http_unmatched_total', { status: '4xx' }, 2],
    ['rate_limited_total', { class: 'write' }, 3],
    ['socket_connections_total', { outcome: 'ok' }, 1],
    ['socket_connections_total', { outcome: 'unauthenticated' }, 1],
    ['socket_events_total', { event: 'puff', outcome: 'ok' }, 1],
    ['socket_events_total', { event: 'puff', outcome: 'invalid' }, 1],
    ['sockets_open', {}, 1],
    ['sign_ins_total', { outcome: 'ok' }, 2],
    ['log_queue_depth', {}, 0],
    ['checkpoint_lag_seconds', {}, 0],
    ['reconcile_drift_people', {}, 0],
    ['job_last_run_timestamp_seconds', { job: 'reconcile' }, Date.parse('2026-10-21T10:00:00Z') / 1000],
    ['job_last_success_timestamp_seconds', { job: 'reconcile' }, Date.parse('2026-10-21T10:00:00Z') / 1000],
    ['job_last_duration_seconds', { job: 'reconcile' }, 0],
    ['job_failures_total', { job: 'reconcile' }, 0],
    ['auth_refresh_reuse_total', {}, 0],
    ['devicecheck_unknown_total', {}, 0],
    ['apple_unavailable_total', { service: 'keys' }, 0],
    ['apple_circuit_open', { service: 'tokens' }, 0],
  ])('report pufftrack_%s %j', (name, labels, value) => {
    expect(valueOf(figures, `pufftrack_${name}`, labels)).toBe(value);
  });

  it('report size and duration of group commits', () => {
    // Three that were created, and the one that turned out to be known.
    expect(valueOf(figures, 'pufftrack_group_commit_size_sum')).toBe(4);
    const writes = valueOf(figures, 'pufftrack_group_commit_size_count');
    expect(writes).toBe(valueOf(figures, 'pufftrack_group_commit_duration_seconds_count'));
    expect(valueOf(figures, 'pufftrack_group_commit_duration_seconds_sum')).toBeGreaterThan(0);
  });

  it('report version and age of the zone rules', async () => {
    const { zoneRules } = await app.client().call('healthReady');
    const version = zoneRules?.version ?? '';
    expect(valueOf(figures, 'pufftrack_zone_rules_info', { version })).toBe(1);
    const age = (app.clock.now() - Date.parse(zoneRules?.publishedOn ?? '')) / 1_000;
    expect(valueOf(figures, 'pufftrack_zone_rules_age_seconds')).toBe(age);
  });

  it('report the default metrics of a Node.js process', () => {
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds',
    ])
      expect(valueOf(figures, name)).toBeGreaterThanOrEqual(0);
  });

  it('use templates of the contract as routes and contain no personal data and no raw path', () => {
    const routes = [...figures.matchAll(/route="([^"]*)"/g)].map(([, route]) => route);
    const templates = Object.values<EndpointSpec>(endpoints).map(({ path }) => path);
    expect([...new Set(routes)].filter((route) => !templates.includes(route ?? ''))).toEqual([]);
    for (const personal of [alice?.userId, bob?.userId, 'private', 'alice', 'bob', 'nowhere'])
      expect(figures).not.toContain(personal);
  });

  it('are on the API listener outside production, and the metrics listener serves nothing else', async () => {
    expect(await figuresOf(app.url)).toContain('pufftrack_puffs_total');
    for (const path of ['/', '/users/me', '/metrics/x'])
      expect((await fetch(`http://127.0.0.1:${app.metricsPort ?? 0}${path}`)).status).toBe(404);
  });

  it('are not served on a public listener', async () => {
    const outside = await startTestApp({ metrics: { onApiListener: false }, targets: ['users'] });
    try {
      expect(outside.metricsPort).toBeUndefined();
      const answer = await fetch(`${outside.url}/metrics`);
      expect(await answer.json()).toMatchObject({ status: 404, code: 'not-found' });
    } finally {
      await outside.close();
    }
  });

  it('of two apps in one process are separate', async () => {
    const other = await startTestApp({ targets: targetNames });
    try {
      expect(
        valueOf(await figuresOf(other.url), 'pufftrack_puffs_total', { outcome: 'created' }),
      ).toBeUndefined();
    } finally {
      await other.close();
    }
  });
});
