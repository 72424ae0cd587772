import { randomUUID } from 'node:crypto';
import type { Person, TestApp } from '../src/index.ts';

/** The calls that tests of the friend graph share. */
export const newPeople = (app: TestApp, names: readonly string[]): Promise<Person[]> =>
  Promise.all(names.map((name) => app.person(`${name} ${randomUUID()}`)));

export const codeOf = async ({ client }: Person) => (await client.call('getMe')).friendCode;

export const sendRequest = async (from: Person, to: Person) => {
  const friendCode = await codeOf(to);
  const { status, body } = await from.client.send('requestFriend', { body: { friendCode } });
  return { status, body };
};
/** The response to every friend request. */
export const sent = { status: 202, body: { status: 'sent' } };

export const receivedBy = async ({ client }: Person) => (await client.call('listFriendRequests')).received;
export const sentBy = async ({ client }: Person) => (await client.call('listFriendRequests')).sent;
export const friendsOf = async ({ client }: Person) => (await client.call('listFriends')).friends;
export const block = (by: Person, blocked: Person) =>
  by.client.call('blockPerson', { body: { userId: blocked.userId } });
