import { describe, expect, it } from '@jest/globals';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { AccessTokens } from './access-tokens.ts';
import { createAuthenticator } from './authenticator.ts';
import { createSessionIds } from './session-ids.ts';

const budget = 300;

it('fails while the database does not answer (SES-6)', async () => {
  const actor = { userId: 'user', sessionId: 'session', expiresAt: 1 };
  const { authenticate } = createAuthenticator({
    accessTokens: {
      read: () => actor,
      verify: () => Promise.resolve({ actor, refreshCounter: 1 }),
    } as unknown as AccessTokens,
    sessionIds: createSessionIds([Buffer.alloc(32, 7)]),
    sessions: { find: () => Promise.reject(new Error('no answer')) } as never,
    accounts: { view: () => Promise.reject(new Error('no answer')) } as never,
    clock: { now: () => 0 },
  });
  for (let call = 0; call < 2; call++)
    await expect(Promise.resolve(authenticate('token'))).rejects.toThrow('no answer');
});

describe('a flood of forged tokens', () => {
  /** The test releases each signature check; all of them fail. */
  const start = () => {
    const checks: (() => void)[] = [];
    let checked = 0;
    const accessTokens = {
      read: (token: string) => ({ sessionId: token }),
      verify: () => {
        checked += 1;
        return new Promise((_resolve, reject) => {
          checks.push(() => {
            reject(new DomainError('invalid-token'));
          });
        });
      },
    } as unknown as AccessTokens;
    const sessionIds = createSessionIds([Buffer.alloc(32, 7)]);
    const { authenticate } = createAuthenticator({
      accessTokens,
      sessionIds,
      sessions: {} as never,
      accounts: {} as never,
      clock: { now: () => 0 },
    });
    return { checks, authenticate, sessionIds, checked: () => checked };
  };

  it('costs at most its budget and four more signature checks when it arrives at once', async () => {
    const { checks, authenticate, checked } = start();
    let refused = 0;
    const requireBudget = () => {
      if (refused >= budget) throw new DomainError('rate-limited');
    };
    const codes: string[] = [];
    const calls = Array.from({ length: 2_000 }, async (_, call) => {
      try {
        await authenticate(`invented ${call}`, requireBudget);
      } catch (error) {
        const { code } = error as DomainError;
        if (code === 'invalid-token') refused += 1;
        codes.push(code);
      }
    });
    const all = Promise.all(calls);
    for (let answered = 0; answered < 2_000 && codes.length < 2_000; answered++) {
      checks.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    expect(checked()).toBeGreaterThanOrEqual(budget);
    expect(checked()).toBeLessThanOrEqual(budget + 4);
    expect(codes.filter((code) => code === 'rate-limited')).toHaveLength(2_000 - checked());
  });

  it('is counted for the session that a token names if this server created its id', async () => {
    const { authenticate, sessionIds } = start();
    const named: (string | undefined)[] = [];
    const stop = (session: string | undefined) => {
      named.push(session);
      throw new DomainError('rate-limited');
    };
    const proven = sessionIds.create();
    for (const token of [proven, 'invented'])
      await expect(Promise.resolve(authenticate(token, stop))).rejects.toMatchObject({
        code: 'rate-limited',
      });
    expect(named).toEqual([proven, undefined]);
  });
});

describe('a session from before ids proved themselves', () => {
  const old = '0'.repeat(26);
  const start = () => {
    const named: (string | undefined)[] = [];
    const authenticator = createAuthenticator({
      accessTokens: {
        read: () => ({ sessionId: old }),
        verify: (token: string) =>
          token.startsWith('forged')
            ? Promise.reject(new DomainError('invalid-token'))
            : Promise.resolve({
                actor: { userId: 'alice', sessionId: old, expiresAt: 900_000 },
                refreshCounter: 1,
              }),
      } as unknown as AccessTokens,
      sessionIds: createSessionIds([Buffer.alloc(32, 7)]),
      sessions: {
        find: () => Promise.resolve({ id: old, endedAt: null, refreshCounter: 1, successorUsedAt: null }),
      } as never,
      accounts: { view: () => Promise.resolve({}) } as never,
      clock: { now: () => 0 },
    });
    const call = async (token: string) => authenticator.authenticate(token, (session) => named.push(session));
    return { ...authenticator, call, named };
  };

  it('shares the budget of its address until this process knows it, and has its own from then on', async () => {
    const { call, named, isProven } = start();
    await expect(call('forged before')).rejects.toMatchObject({ code: 'invalid-token' });
    expect(isProven(old)).toBe(false);
    await call('first token');
    expect(isProven(old)).toBe(true);
    await call('token after a refresh');
    await expect(call('forged after')).rejects.toMatchObject({ code: 'invalid-token' });
    expect(named).toEqual([undefined, undefined, old, old]);
  });

  it('shares it again once it has ended', async () => {
    const { call, isProven, markEnded } = start();
    await call('first token');
    markEnded({ sessionId: old, reason: 'logout' });
    expect(isProven(old)).toBe(false);
  });
});
