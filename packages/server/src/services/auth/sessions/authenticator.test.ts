import { describe, expect, it } from '@jest/globals';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { AccessTokens } from './access-tokens.ts';
import { createAuthenticator } from './authenticator.ts';
import { createSessionIds } from './session-ids.ts';

const budget = 300;

describe('a flood of forged tokens', () => {
  /** Signatures are checked when the test says so, and are all wrong. */
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

  it('that arrives all at once costs as many signature checks as its budget allows, and four', async () => {
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

  it('is counted for the session that it names, only where the id is one of this server', async () => {
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
