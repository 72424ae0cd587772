import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createLogger } from '@pufftrack/server';
import { createFriendship, startTestApp, type Person, type TestApp } from '../src/index.ts';

interface Line {
  event?: string;
  where?: string;
  userRef?: string;
  requestId?: string;
}

/** A call that names an id: its method, its path template, and the request for one id. */
type Probe = [method: string, template: string, send: (id: string) => { path: string; body?: object }];

describe('ids of other accounts (API-1, LOG-1)', () => {
  const lines: string[] = [];
  let app: TestApp;
  let owner: Person;
  let stranger: Person;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    app = await startTestApp({
      log: createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } }),
    });
    [owner, stranger] = [await app.person('owner'), await app.person('stranger')];
    const [asker, friend] = [await app.person('asker'), await app.person('friend')];
    await createFriendship(owner, friend);
    const { friendCode } = await owner.client.call('getMe');
    await asker.client.call('requestFriend', { body: { friendCode } });
    await owner.client.call('requestFriend', { body: { friendCode: 'YYYYYYYYYY' } });
    await owner.client.call('checkIn', { body: { days: ['2026-10-20'], none: true } });
    const { puff } = await owner.client.call('recordPuff', { body: { id: randomUUID() } });
    const { received, sent } = await owner.client.call('listFriendRequests');
    ids['puff'] = puff?.id ?? '';
    ids['session'] = (await owner.client.call('listSessions')).sessions[0]?.id ?? '';
    ids['received'] = received[0]?.id ?? '';
    ids['sent'] = sent[0]?.id ?? '';
    ids['milestone'] = (await owner.client.call('listMilestones')).mine[0]?.id ?? '';
    ids['friend'] = friend.userId;
    lines.length = 0;
  });
  afterAll(() => app.close());

  const probes: [kind: string, ...Probe][] = [
    ['puff', 'PATCH', '/puffs/:id', (id) => ({ path: `/puffs/${id}`, body: { quantity: 2 } })],
    ['puff', 'DELETE', '/puffs/:id', (id) => ({ path: `/puffs/${id}` })],
    ['puff', 'POST', '/puffs/:id/restore', (id) => ({ path: `/puffs/${id}/restore` })],
    ['session', 'DELETE', '/auth/sessions/:id', (id) => ({ path: `/auth/sessions/${id}` })],
    ['received', 'PUT', '/friends/accept', (id) => ({ path: '/friends/accept', body: { requestId: id } })],
    ['received', 'PUT', '/friends/reject', (id) => ({ path: '/friends/reject', body: { requestId: id } })],
    ['sent', 'DELETE', '/friends/requests/:id', (id) => ({ path: `/friends/requests/${id}` })],
    ['friend', 'PATCH', '/friends/:userId', (id) => ({ path: `/friends/${id}`, body: { muted: true } })],
    ['friend', 'DELETE', '/friends/:userId', (id) => ({ path: `/friends/${id}` })],
    ['friend', 'DELETE', '/friends/blocks/:userId', (id) => ({ path: `/friends/blocks/${id}` })],
    [
      'milestone',
      'PUT',
      '/milestones/:id/cheer',
      (id) => ({ path: `/milestones/${id}/cheer`, body: { kind: 'clap' } }),
    ],
    ['milestone', 'DELETE', '/milestones/:id/cheer', (id) => ({ path: `/milestones/${id}/cheer` })],
  ];

  const probe = async (method: string, { path, body }: { path: string; body?: object }) => {
    lines.length = 0;
    const answer = await fetch(`${app.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${stranger.client.accessToken() ?? ''}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const problem = (await answer.json()) as { code: string; detail: string; requestId: string };
    const events = lines
      .map((line) => JSON.parse(line) as Line)
      .filter(({ event }) => event?.startsWith('access.'));
    return { status: answer.status, problem, events, text: lines.join('') };
  };

  it.each(probes)(
    'of a %s log an event with the caller’s reference: %s %s',
    async (kind, method, template, send) => {
      const id = ids[kind] ?? '';
      expect(id).not.toBe('');
      const foreign = await probe(method, send(id));
      const unknown = await probe(method, send(randomUUID()));
      expect([foreign.status, unknown.status]).toEqual([404, 404]);
      expect(foreign.problem.detail).toBe(unknown.problem.detail);
      for (const { problem, events } of [foreign, unknown])
        expect(events).toMatchObject([
          {
            event: 'access.not_found',
            where: `${method} ${template}`,
            userRef: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown,
            requestId: problem.requestId,
          },
        ]);
      expect(new Set([...foreign.events, ...unknown.events].map(({ userRef }) => userRef)).size).toBe(1);
      expect(foreign.text).not.toContain(id);
    },
  );

  it('log one event for each request of a scan', async () => {
    lines.length = 0;
    for (let tries = 0; tries < 30; tries++)
      await stranger.client.call('deletePuff', { params: { id: randomUUID() } }).catch(() => undefined);
    expect(lines.filter((line) => line.includes('access.not_found'))).toHaveLength(30);
  });

  it('log no event for an unknown path or a call without a token', async () => {
    lines.length = 0;
    await fetch(`${app.url}/nowhere`, {
      headers: { authorization: `Bearer ${stranger.client.accessToken() ?? ''}` },
    });
    await fetch(`${app.url}/puffs/${randomUUID()}`, { method: 'DELETE' });
    expect(lines.filter((line) => line.includes('access.not_found'))).toEqual([]);
  });
});
