// @not-split: chooses the targets of its two processes
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { startApnsSimulator, type ApnsSimulator } from '@pufftrack/apple-simulator';
import { spawnProgram, startTestApp, testClientId, type TestApp } from '../src/index.ts';

const minuteMs = 60_000;
const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

describe('a push worker that is killed', () => {
  let apns: ApnsSimulator;
  let front: TestApp;
  let side: TestApp;

  /** One process takes requests and sends nothing, the other one registers phones and has no key for APNs. */
  beforeAll(async () => {
    apns = await startApnsSimulator({ now: () => front.clock.now(), topic: testClientId });
    front = await startTestApp({ apns, targets: ['auth', 'users', 'puffs', 'analytics'] });
    const { clock, apple, mongoUri } = front;
    side = await startTestApp({ mongoUri, world: { clock, apple }, targets: ['notifications'] });
  });
  afterAll(async () => {
    await side.close();
    await front.close();
    await apns.close();
  });

  const work = (dieAt: string, now: number) =>
    spawnProgram('packages/server/test/push-worker.ts', {
      MONGODB_URI: front.mongoUri,
      NOW: String(now),
      DIE_AT: dieAt,
      APNS: JSON.stringify({
        teamId: 'SIMULATED0',
        keyId: 'PUSHKEY000',
        privateKey,
        topic: testClientId,
        baseUrl: apns.baseUrl,
        ca: apns.ca,
      }),
    });

  /** How often each of two phones is sent the push, at least and at most. */
  it.each([
    ['claimed', 1, 1],
    ['device-jobs-added', 1, 1],
    ['before-send', 1, 1],
    ['after-200', 1, 2],
    ['before-mark', 1, 2],
  ])(
    'at the step "%s": nothing is lost, and what comes twice is one to the phone',
    async (step, least, most) => {
      const bob = await front.person(`bob ${step}`);
      const tokens = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')];
      for (const token of tokens)
        await side
          .client()
          .send(
            'registerDevice',
            { body: { token, environment: 'sandbox', bundleId: testClientId } },
            { headers: { authorization: `Bearer ${bob.client.accessToken() ?? ''}` } },
          );
      const { friendCode } = await bob.client.call('getMe');
      await (await front.person(`alice ${step}`)).client.call('requestFriend', { body: { friendCode } });

      const killed = work(step, front.clock.now());
      await killed.ended;
      expect(killed.child.signalCode).toBe('SIGKILL');
      // After the leases of the killed one.
      const heir = work('', front.clock.now() + 2 * minuteMs);
      expect([await heir.ended, heir.output()]).toEqual([0, '']);

      const pushes = apns.pushes.filter(({ deviceToken }) => tokens.includes(deviceToken));
      for (const token of tokens) {
        const sent = pushes.filter(({ deviceToken, status }) => deviceToken === token && status === 200);
        expect(sent.length).toBeGreaterThanOrEqual(least);
        expect(sent.length).toBeLessThanOrEqual(most);
        expect(new Set(sent.map(({ headers }) => headers['apns-id'])).size).toBe(1);
        expect(new Set(sent.map(({ headers }) => headers['apns-collapse-id'])).size).toBe(1);
      }
      // Where the kill came after an answer, one of the two was sent again.
      expect(pushes.length > 2).toBe(most > 1);
    },
  );
});
