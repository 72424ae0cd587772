import { createFriendship, startTestApp } from '../src/index.ts';
import type { Caller, SignedIn, World } from './authorization-matrix.ts';
import type { Person } from '../src/index.ts';

const minute = 60_000;

/** An app with every kind of caller. */
export interface AuthorizationWorld extends World {
  readonly callers: Readonly<Record<SignedIn, Person>>;
  /** Undefined for the caller without a token. */
  tokenOf(caller: Caller): string | undefined;
}

export const startAuthorizationWorld = async (): Promise<AuthorizationWorld> => {
  const app = await startTestApp();
  const expiring = await app.person('expiring');
  app.clock.advance(16 * minute);
  const [owner, friend, stranger, pending, blocked, ended, deleted] = [
    await app.person('owner'),
    await app.person('friend'),
    await app.person('stranger'),
    await app.person('pending'),
    await app.person('blocked'),
    await app.person('ended'),
    await app.person('deleted'),
  ];
  await createFriendship(owner, friend);
  await createFriendship(owner, blocked);
  await owner.client.call('blockPerson', { body: { userId: blocked.userId } });
  const { friendCode } = await owner.client.call('getMe');
  await pending.client.call('requestFriend', { body: { friendCode } });
  const callers = { owner, friend, stranger, pending, blocked };
  const people = {
    ...callers,
    'an expired token': expiring,
    'an ended session': ended,
    'a deleted account': deleted,
  };
  const tokens: Partial<Record<Caller, string>> = { 'an invalid token': 'invalid' };
  for (const [caller, person] of Object.entries(people))
    tokens[caller as Caller] = person.client.accessToken() ?? '';
  await ended.client.signOut();
  await deleted.client.call('deleteMe');
  return { app, owner, callers, tokenOf: (caller) => tokens[caller] };
};
