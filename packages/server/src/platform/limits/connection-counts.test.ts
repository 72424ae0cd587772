import { describe, expect, it } from '@jest/globals';
import { createConnectionCounts } from './connection-counts.ts';

describe('connection counts', () => {
  it('refuse beyond the bound of an address, and take one more for each that closes', () => {
    const counts = createConnectionCounts({ perAddress: 2, perNetwork: 8, total: 10 });
    const first = counts.open('192.0.2.1');
    expect(counts.open('192.0.2.1')).toBeDefined();
    expect(counts.open('192.0.2.1')).toBeUndefined();
    expect(counts.open('192.0.2.2')).toBeDefined();
    expect(counts.total()).toBe(3);
    first?.close();
    first?.close(); // counts once
    expect(counts.total()).toBe(2);
    expect(counts.open('192.0.2.1')).toBeDefined();
    expect(counts.open('192.0.2.1')).toBeUndefined();
  });

  it('refuse every address beyond the total where no connection can be evicted', () => {
    const counts = createConnectionCounts({ perAddress: 2, perNetwork: 8, total: 3 });
    const opened = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => counts.open(address));
    expect(counts.open('192.0.2.4')).toBeUndefined();
    opened[0]?.close();
    expect(counts.open('192.0.2.4')).toBeDefined();
  });

  it('evict the oldest connection at the total, once each, and none that is kept or closed', () => {
    const counts = createConnectionCounts({ perAddress: 10, perNetwork: 10, total: 4 });
    const evicted: string[] = [];
    const open = (name: string) => counts.open('192.0.2.1', () => evicted.push(name));
    const [kept, , closed] = [open('kept'), open('second'), open('closed'), open('fourth')];
    kept?.keep();
    closed?.close();
    open('fifth');
    expect(evicted).toEqual([]);
    open('sixth');
    open('seventh');
    expect(evicted).toEqual(['second', 'fourth']);
    expect(counts.total()).toBe(4);
  });

  it('evict no connection for an address that is at its own bound', () => {
    const counts = createConnectionCounts({ perAddress: 1, perNetwork: 10, total: 2 });
    const evicted: string[] = [];
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.2'])
      counts.open(address, () => evicted.push(address));
    expect(evicted).toEqual([]);
  });

  it('bound all /64 of an IPv6 /48 together, so that one host cannot take the total', () => {
    const counts = createConnectionCounts({ perAddress: 2, perNetwork: 5, total: 20 });
    const opened = Array.from({ length: 20 }, (_, index) => counts.open(`2001:db8:1:${index}::/64`));
    expect(opened.filter((one) => one !== undefined)).toHaveLength(5);
    expect(counts.open('2001:db8:2:0::/64')).toBeDefined();
    opened[0]?.close();
    expect(counts.open('2001:db8:1:99::/64')).toBeDefined();
    expect(counts.open('2001:db8:1:98::/64')).toBeUndefined();
  });
});
