import { describe, expect, it } from '@jest/globals';
import { clientAddress, networkOf, truncatedAddress } from './client-address.ts';

const addressOf = (remoteAddress: string) =>
  truncatedAddress(clientAddress({ headers: {}, socket: { remoteAddress } as never }, 0));

describe('the address in the log (LOG-1)', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8::7', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0::/48'],
    ['canary', 'unknown'],
    ['a:b:c:d', 'unknown'],
  ])('of %s is %s', (address, logged) => {
    expect(addressOf(address)).toBe(logged);
  });
});

describe('the network of an address', () => {
  it.each([
    ['203.0.113.77', undefined],
    ['::ffff:203.0.113.77', undefined],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8:1:ffff::', '2001:db8:1::/48'],
    ['canary', undefined],
    ['a:b:c:d', undefined],
  ])('of %s is %s', (remoteAddress, network) => {
    expect(networkOf(clientAddress({ headers: {}, socket: { remoteAddress } as never }, 0))).toBe(network);
  });
});

describe('the address behind proxies', () => {
  it.each([
    [0, '1.1.1.1, 2.2.2.2', '10.0.0.1'],
    [1, '1.1.1.1, 2.2.2.2', '2.2.2.2'],
    [2, '1.1.1.1, 2.2.2.2', '1.1.1.1'],
    // The call came past a proxy: the farthest entry that is known.
    [3, '1.1.1.1, 2.2.2.2', '1.1.1.1'],
    [1, undefined, '10.0.0.1'],
    [1, ' , ', '10.0.0.1'],
    [1, '2001:db8:1:2::9', '2001:db8:1:2::/64'],
    [1, 'x'.repeat(200), 'x'.repeat(64)],
  ])('with %d trusted ones and X-Forwarded-For %s is %s', (trustedHops, forwarded, address) => {
    const req = { headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress: '10.0.0.1' } as never };
    expect(clientAddress(req as never, trustedHops)).toBe(address);
  });
});
