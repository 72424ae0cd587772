import { describe, expect, it } from '@jest/globals';
import { clientAddress, truncatedAddress } from './client-address.ts';

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
