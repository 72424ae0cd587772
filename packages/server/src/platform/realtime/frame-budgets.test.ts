import { describe, expect, it } from '@jest/globals';
import { createFrameBudgets } from './frame-budgets.ts';

describe('the frames of an account within a minute', () => {
  const start = () => {
    const clock = { time: 0, now: () => clock.time };
    return { clock, ...createFrameBudgets({ clock, scale: 1 }) };
  };

  it('are bounded in number, for each account apart, and again after a minute', () => {
    const { clock, spend, spentFor } = start();
    for (let sent = 0; sent < 1_500; sent += 1) expect(spend('alice', 10)).toBe(true);
    expect(spentFor('alice')).toBeUndefined();
    clock.time = 20_000;
    expect(spend('alice', 10)).toBe(false);
    expect(spentFor('alice')).toBe(40);
    expect(spend('bob', 10)).toBe(true);
    clock.time = 60_000;
    expect(spentFor('alice')).toBeUndefined();
    expect(spend('alice', 10)).toBe(true);
  });

  it('are bounded in bytes', () => {
    const { spend } = start();
    expect(spend('alice', 2 * 1024 * 1024)).toBe(true);
    expect(spend('alice', 1)).toBe(false);
  });

  it('have a new budget where the clock was set back', () => {
    const { clock, spend } = start();
    clock.time = 600_000;
    spend('alice', 3 * 1024 * 1024);
    clock.time = 0;
    expect(spend('alice', 1)).toBe(true);
  });
});
