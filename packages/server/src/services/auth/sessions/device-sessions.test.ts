import { describe, expect, it } from '@jest/globals';
import {
  adult,
  newPerson,
  useAuthWorld,
  type Answer,
  type AuthNode,
  type AuthWorld,
} from '../../../../test/auth-server.ts';

let world: AuthWorld;
let node: AuthNode;
useAuthWorld((started) => ({ world, node } = started));

const accessOf = ({ body }: Answer) => body['accessToken'] as string;
const refreshOf = ({ body }: Answer) => body['refreshToken'] as string;
const on =
  (id: string | null | undefined, at = node) =>
  (person: string) =>
    at.signIn(person, { ...adult, device: { id, name: 'iPhone' } });
const sessionsOf = async (answer: Answer) =>
  (await node.get('/auth/sessions', accessOf(answer))).body['sessions'] as { id: string; device: object }[];
const isAlive = async (answer: Answer) => (await node.get('/users/me', accessOf(answer))).status === 200;

describe('sign-ins with the same device.id (SES-5)', () => {
  it('leave one session: the previous tokens are rejected and its sockets are closed', async () => {
    const person = newPerson();
    const first = await on('phone')(person);
    const { ended } = await node.openSocket(accessOf(first));
    const second = await on('phone')(person);
    expect(await sessionsOf(second)).toMatchObject([{ device: { id: 'phone' } }]);
    expect((await node.get('/users/me', accessOf(first))).body.code).toBe('session-ended');
    expect((await node.post('/auth/refresh', { refreshToken: refreshOf(first) })).body.code).toBe(
      'session-ended',
    );
    expect(await ended).toEqual({ reason: 'logout' });
    expect((await node.post('/auth/refresh', { refreshToken: refreshOf(second) })).status).toBe(200);
  });

  it('do not end sessions of another device, however often the app is reinstalled', async () => {
    const person = newPerson();
    const tablet = await on('tablet')(person);
    let phone = await on('phone')(person);
    for (let installs = 0; installs < 12; installs++) phone = await on('phone')(person);
    expect(await isAlive(tablet)).toBe(true);
    expect(await sessionsOf(phone)).toHaveLength(2);
  });

  it('leave one session when they are concurrent, at two processes', async () => {
    const other = await world.node();
    const person = newPerson();
    await on('phone')(person);
    const answers = await Promise.all([node, other, node, other].map((at) => on('phone', at)(person)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const sessions = node.connection.collection('sessions');
    const { id: userId } = answers[0]?.body['user'] as { id: string };
    expect(await sessions.countDocuments({ userId, 'device.id': 'phone', endedAt: null })).toBe(1);
  });

  it('of two accounts leave two sessions', async () => {
    const [one, other] = [await on('phone')(newPerson()), await on('phone')(newPerson())];
    expect([await isAlive(one), await isAlive(other)]).toEqual([true, true]);
  });

  it.each([null, undefined])('leave two sessions if the app sends no id: %p', async (id) => {
    const person = newPerson();
    const [one, other] = [await on(id)(person), await on(id)(person)];
    expect([await isAlive(one), await isAlive(other)]).toEqual([true, true]);
  });
});
