import { createHash } from 'node:crypto';
import type { AppleSimulator } from '@pufftrack/apple-simulator';
import { createClient, type AppleSignInInput, type Client } from '@pufftrack/client';
import { purposes, type Purpose, type ShareLevel } from '@pufftrack/contract';
import { recordEvents, type RecordedSocket } from './recorded-socket.ts';

/** A signed-in test user with one device. */
export interface Person {
  readonly name: string;
  readonly userId: string;
  readonly client: Client;
  /** Opens a socket and waits for `ready`. */
  connect(): Promise<RecordedSocket>;
  /** Signs in on another device of the same person; each call is a new device. */
  signInAgain(): Promise<Person>;
}

export interface PersonOptions {
  timeZone?: string;
  /** Default: all purposes. */
  consents?: readonly Purpose[];
  /** Default: one device per name. */
  deviceId?: string;
}

export interface World {
  readonly url: string;
  readonly now: () => number;
  readonly apple: Pick<AppleSimulator, 'authorize'>;
  readonly clientId: string;
  /** Creates clients that the owner of the world closes. */
  readonly newClient?: () => Client;
}

export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Signs in as the app does: nonce, Apple's sheet, `POST /auth/apple`. The same name is the same Apple ID. */
export const signInPerson = async (
  world: World,
  name: string,
  options: PersonOptions = {},
): Promise<Person> => {
  const { url, now, apple, clientId } = world;
  const client = world.newClient?.() ?? createClient({ baseUrl: url, now });
  const { nonce } = await client.call('createNonce');
  const sheet = await apple.authorize({
    person: name,
    clientId,
    nonce: sha256Hex(nonce),
    email: `${name}@example.com`,
    name: { firstName: capitalised(name) },
  });
  const deviceId = options.deviceId ?? `${name}-phone`;
  let otherDevices = 0;
  const versions = await client.call('getLegalVersions');
  const body: AppleSignInInput = {
    identityToken: sheet.identityToken,
    nonce,
    authorizationCode: sheet.authorizationCode,
    ...(sheet.name && { user: { name: sheet.name } }),
    device: { id: deviceId, name: 'iPhone', model: 'iPhone17,1' },
    timeZone: options.timeZone ?? 'Europe/Berlin',
    ageBand: '18+',
    consents: (options.consents ?? purposes).map((purpose) => ({
      purpose,
      version: versions[purpose],
    })),
  };
  const { user } = await client.signIn(body);
  return {
    name,
    userId: user.id,
    client,
    async connect() {
      const socket = recordEvents(client.connect());
      await socket.connected;
      await socket.next('ready');
      return socket;
    },
    signInAgain() {
      otherDevices += 1;
      return signInPerson(world, name, { ...options, deviceId: `${deviceId}-${otherDevices}` });
    },
  };
};

/** Makes two people friends, each sharing at the given level. */
export const createFriendship = async (
  one: Person,
  other: Person,
  levels: { one?: ShareLevel; other?: ShareLevel } = {},
): Promise<void> => {
  const { friendCode } = await other.client.call('getMe');
  await one.client.call('requestFriend', {
    body: { friendCode, ...(levels.one && { shareLevel: levels.one }) },
  });
  const { received } = await other.client.call('listFriendRequests');
  const request = received.find(({ from }) => from.userId === one.userId);
  if (!request) throw new Error(`${other.name} has no friend request of ${one.name}`);
  await other.client.call('acceptFriend', {
    body: { requestId: request.id, ...(levels.other && { shareLevel: levels.other }) },
  });
};

const capitalised = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
