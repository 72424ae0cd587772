import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { startApnsSimulator, type ApnsSimulator } from '@pufftrack/apple-simulator';
import type { Notification, NotificationPreferencesChange, Purpose } from '@pufftrack/contract';
import { targetNames } from '@pufftrack/server';
import {
  createFriendship,
  startTestApp,
  testClientId,
  type Person,
  type TestApp,
  type TestAppOptions,
} from '../src/index.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const newToken = () => randomBytes(32).toString('hex');

interface Payload {
  aps: { alert: { 'loc-key': string; 'loc-args'?: string[] } };
  notification: { id: string };
}

describe('pushes', () => {
  let app: TestApp;
  let apns: ApnsSimulator;
  let people: number;

  /** At 12:00 in Berlin. */
  const start = async (options: TestAppOptions = {}) => {
    people = 0;
    apns = await startApnsSimulator({ now: () => app.clock.now(), topic: testClientId });
    app = await startTestApp({ apns, now: '2026-10-21T10:00:00Z', ...options });
  };
  const stop = async () => {
    await app.close();
    await apns.close();
  };
  beforeEach(() => start());
  afterEach(stop);

  const person = (consents?: readonly Purpose[]) =>
    app.person(`person-${people++}`, consents ? { consents } : {});
  const register = (
    someone: Person,
    token: string = newToken(),
    environment: 'sandbox' | 'production' = 'sandbox',
  ) => someone.client.call('registerDevice', { body: { token, environment, bundleId: testClientId } });
  /** Somebody with a phone. */
  const phoneOwner = async (token: string, consents?: readonly Purpose[]) => {
    const owner = await person(consents);
    await register(owner, token);
    return owner;
  };
  /** A stranger asks this person for a friendship, and everything that follows is done. */
  const askFor = async ({ client }: Person) => {
    const { friendCode } = await client.call('getMe');
    const asker = await person();
    await asker.client.call('requestFriend', { body: { friendCode } });
    await app.drain();
    return asker;
  };
  const idsOf = async ({ client }: Person, isMeant: (one: Notification) => boolean) =>
    (await client.call('listNotifications')).notifications.filter(isMeant).map(({ id }) => id);
  const prefer = ({ client }: Person, body: NotificationPreferencesChange) =>
    client.call('putNotificationPreferences', { body });
  const payloads = () => apns.pushes.map(({ payload }) => payload as Payload);
  const later = async (ms: number) => {
    app.clock.advance(ms);
    await app.drain();
  };

  it('reach every device of the recipient once, without name or content', async () => {
    const [one, two] = [newToken(), newToken()];
    const bob = await phoneOwner(one);
    await register(bob, two.toUpperCase());
    await askFor(bob);
    expect(new Set(apns.pushes.map(({ deviceToken }) => deviceToken))).toEqual(new Set([one, two]));
    expect(apns.pushes).toHaveLength(2);
    const { notifications } = await bob.client.call('listNotifications', { query: {} });
    for (const { headers } of apns.pushes)
      expect(headers).toMatchObject({
        'apns-topic': testClientId,
        'apns-collapse-id': notifications[0]?.id,
        'apns-expiration': String((app.clock.now() + 24 * hourMs) / 1000),
      });
    expect(new Set(apns.pushes.map(({ headers }) => headers['apns-id'])).size).toBe(2);
    for (const { aps } of payloads())
      expect(aps.alert).toEqual({ 'loc-key': 'There is something new for you.' });
    await app.drain();
    expect(apns.pushes).toHaveLength(2);
  });

  it('name the friend if the recipient has allowed it', async () => {
    const bob = await phoneOwner(newToken());
    await prefer(bob, { discreet: false });
    await askFor(bob);
    expect(payloads()).toMatchObject([
      { aps: { alert: { 'loc-key': '%@ asks to be your friend.', 'loc-args': ['Person-1'] } } },
    ]);
  });

  it('for cheers of one milestone share one collapse id, also after the notification was read', async () => {
    const bob = await phoneOwner(newToken());
    await bob.client.call('checkIn', { body: { days: ['2026-10-20'], none: true } });
    const [milestone] = (await bob.client.call('listMilestones')).mine;
    await app.drain();
    expect(payloads()).toMatchObject([{ aps: { alert: { 'loc-key': 'There is something new for you.' } } }]);
    const params = { id: milestone?.id ?? '' };
    const fan = await person();
    await createFriendship(bob, fan);
    await app.drain();
    const before = apns.pushes.length;
    for (const kind of ['clap', 'heart'] as const)
      await fan.client.call('cheerMilestone', { params, body: { kind } });
    await app.drain();
    expect(apns.pushes).toHaveLength(before + 1);
    await bob.client.call('readNotifications', { body: { all: true } });
    await fan.client.call('cheerMilestone', { params, body: { kind: 'star' } });
    await app.drain();
    const cheers = apns.pushes.slice(before).map(({ headers }) => headers['apns-collapse-id']);
    expect(cheers).toEqual([params.id, params.id]);
  });

  it('are not sent without consent, nor for categories that are delivered in the app only', async () => {
    await askFor(await phoneOwner(newToken(), ['terms', 'health-processing', 'friends-sharing']));
    const bob = await phoneOwner(newToken());
    await prefer(bob, { categories: { 'friend-request': 'in-app' } });
    await askFor(bob);
    expect(apns.pushes).toEqual([]);
    expect(await bob.client.call('listNotifications', { query: {} })).toMatchObject({ unread: 1 });
  });

  it.each(['terms', 'health-processing'] as const)(
    'are not sent of milestones and cheers without %s',
    async (purpose) => {
      const bob = await phoneOwner(newToken());
      const fan = await person();
      await createFriendship(bob, fan);
      await app.drain();
      const before = apns.pushes.length;
      // Both wait for the morning, and the consent is gone by then.
      await prefer(bob, { quietHours: { from: '00:00', to: '23:59' } });
      await bob.client.call('checkIn', { body: { days: ['2026-10-20'], none: true } });
      const [milestone] = (await bob.client.call('listMilestones')).mine;
      await fan.client.call('cheerMilestone', {
        params: { id: milestone?.id ?? '' },
        body: { kind: 'clap' },
      });
      await app.drain();
      expect(apns.pushes).toHaveLength(before);
      const versions = await bob.client.call('getLegalVersions');
      await bob.client.call('putConsents', {
        body: { consents: [{ purpose, version: versions[purpose], granted: false }] },
      });
      await prefer(bob, { quietHours: null });
      app.clock.advance(14 * 60 * 60_000);
      await app.drain();
      expect(apns.pushes).toHaveLength(before);
      expect(await bob.client.call('listNotifications', { query: {} })).toMatchObject({
        notifications: [{ category: 'cheer' }, { category: 'milestone' }, { category: 'friend-accepted' }],
      });
    },
  );

  it('wait for the end of the quiet hours, across midnight and a clock change', async () => {
    // Half past eleven in Berlin; in this night the clock goes back.
    app.clock.set('2026-10-24T21:30:00Z');
    const bob = await phoneOwner(newToken());
    await prefer(bob, { quietHours: { from: '22:00', to: '07:00' } });
    await askFor(bob);
    app.clock.set('2026-10-25T05:59:00Z');
    await app.drain();
    expect(apns.pushes).toEqual([]);
    await later(minuteMs);
    expect(apns.pushes).toHaveLength(1);
  });

  it('are not sent for notifications that were read meanwhile', async () => {
    const bob = await phoneOwner(newToken());
    await prefer(bob, { quietHours: { from: '11:00', to: '13:00' } });
    await askFor(bob);
    await bob.client.call('readNotifications', { body: { all: true } });
    await later(2 * hourMs);
    expect(apns.pushes).toEqual([]);
  });

  it('are not sent about a user who was blocked or deleted meanwhile', async () => {
    const bob = await phoneOwner('aa');
    await prefer(bob, { discreet: false, quietHours: { from: '12:00', to: '13:00' } });
    await askFor(bob);
    const gone = await askFor(bob);
    const { received } = await bob.client.call('listFriendRequests');
    for (const { from } of received.filter(({ from: { userId } }) => userId !== gone.userId))
      await bob.client.call('blockPerson', { body: { userId: from.userId } });
    await gone.client.deleteAccount();
    const { userId: stillThere } = await askFor(bob);
    await later(hourMs);
    expect(payloads().map(({ notification }) => notification.id)).toEqual(
      await idsOf(bob, ({ data }) => data['userId'] === stillThere),
    );
    expect(apns.pushes).toHaveLength(1);
  });

  it('are at most ten per local day', async () => {
    const bob = await phoneOwner(newToken());
    for (let times = 0; times < 12; times++) await askFor(bob);
    expect(apns.pushes).toHaveLength(10);
    await later(12 * hourMs);
    expect(apns.pushes).toHaveLength(10);
    await askFor(await app.person(bob.name));
    expect(apns.pushes).toHaveLength(11);
  });

  it('for the previous account never reach a device that changed accounts (PUSH-6)', async () => {
    const token = newToken();
    const bob = await phoneOwner(token);
    await prefer(bob, { quietHours: { from: '11:00', to: '13:00' } });
    await askFor(bob);
    const carla = await phoneOwner(token);
    await later(2 * hourMs);
    await askFor(await app.person(bob.name));
    expect(apns.pushes).toEqual([]);
    await askFor(await app.person(carla.name));
    expect(apns.pushes).toHaveLength(1);
  });

  it('stop when the session that registered the device ends, or the device is removed', async () => {
    const token = newToken();
    const bob = await phoneOwner(token);
    const other = await bob.signInAgain();
    await bob.client.signOut();
    await askFor(other);
    expect(apns.pushes).toEqual([]);
    await register(other, token);
    await askFor(other);
    expect(apns.pushes).toHaveLength(1);
    await other.client.call('removeDevice', { params: { token } });
    await askFor(other);
    expect(apns.pushes).toHaveLength(1);
  });

  it('still reach a device after a new sign-in on it, which replaces the session that registered it', async () => {
    const token = newToken();
    const bob = await phoneOwner(token);
    const again = await app.person(bob.name);
    await expect(bob.client.call('getMe')).rejects.toMatchObject({ code: 'session-ended' });
    await askFor(again);
    expect(apns.pushes).toHaveLength(1);
    await again.client.signOut();
    await askFor(await again.signInAgain());
    expect(apns.pushes).toHaveLength(1);
  });

  it('are sent to the ten devices that registered last', async () => {
    const bob = await person();
    const tokens = range(12).map(newToken);
    for (const token of tokens) {
      await register(bob, token);
      app.clock.advance(1);
    }
    await askFor(bob);
    expect(apns.pushes.map(({ deviceToken }) => deviceToken).sort()).toEqual(tokens.slice(2).sort());
  });

  it('are not sent again to a token that APNs reports as gone (PUSH-4)', async () => {
    const [bad, gone, back] = [newToken(), newToken(), newToken()];
    const bob = await phoneOwner(bad);
    for (const token of [gone, back]) await register(bob, token);
    const before = app.clock.now() - 1;
    apns.reply(bad, { status: 400, reason: 'BadDeviceToken' });
    apns.reply(gone, { status: 410, reason: 'Unregistered', timestamp: app.clock.now() + hourMs });
    apns.reply(back, { status: 410, reason: 'Unregistered', timestamp: before });
    await askFor(bob);
    expect(apns.pushes).toHaveLength(3);
    await askFor(bob);
    expect(apns.pushes.slice(3)).toMatchObject([{ deviceToken: back, status: 200 }]);
  });

  it.each([
    { status: 400, reason: 'BadDeviceToken' },
    { status: 410, reason: 'Unregistered' },
  ])('keep a device that has registered again before APNs answered $reason', async (reply) => {
    const token = newToken();
    const bob = await phoneOwner(token);
    apns.reply(token, reply);
    apns.hold();
    const asked = askFor(bob);
    await apns.held(1);
    app.clock.advance(1);
    await register(bob, token, 'production');
    apns.release();
    await asked;
    await askFor(bob);
    expect(apns.pushes.map(({ status }) => status)).toEqual([reply.status, 200]);
  });

  it('are retried with the same id while APNs fails, for one day', async () => {
    const bob = await phoneOwner(newToken());
    apns.reply('*', { status: 500, reason: 'InternalServerError' }, { status: 503, reason: 'Shutdown' });
    await askFor(bob);
    for (let times = 0; times < 3; times++) await later(minuteMs);
    expect(apns.pushes.map(({ status }) => status)).toEqual([500, 503, 200]);
    expect(new Set(apns.pushes.map(({ headers }) => headers['apns-id'])).size).toBe(1);

    apns.reply('*', { status: 429, reason: 'TooManyRequests', retryAfter: '1200' });
    await askFor(bob);
    await later(19 * minuteMs);
    expect(apns.pushes).toHaveLength(4);
    await later(minuteMs);
    expect(apns.pushes.at(-1)).toMatchObject({ status: 200 });

    apns.reply('*', ...range(99).map(() => ({ status: 500 })));
    await askFor(await app.person(bob.name));
    for (let times = 0; times < 25; times++) await later(hourMs);
    const tried = apns.pushes.length;
    await later(24 * hourMs);
    expect(apns.pushes).toHaveLength(tried);
  });

  it('all wait while APNs rejects the provider key', async () => {
    await stop();
    // Each process learns it by an answer to itself.
    await start({ targets: targetNames });
    const [bob, carla] = [await phoneOwner(newToken()), await phoneOwner(newToken())];
    apns.reply('*', { status: 403, reason: 'InvalidProviderToken' });
    await askFor(bob);
    await askFor(carla);
    expect(apns.pushes).toHaveLength(1);
    await later(10 * minuteMs);
    expect(apns.pushes.map(({ status }) => status)).toEqual([403, 200, 200]);
  });
});
