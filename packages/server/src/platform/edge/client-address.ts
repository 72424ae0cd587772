import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/**
 * The address that a call is counted under. `trustedHops` proxies stand before this server, and each has appended the
 * address that it saw to `X-Forwarded-For`; the entries further left were written by the caller and are ignored.
 * An IPv6 address counts as its /64: a household has that many to itself.
 *
 * clientAddress with trustedHops 1 of `X-Forwarded-For: 1.1.1.1, 2.2.2.2` is 2.2.2.2.
 */
export const clientAddress = (
  req: Pick<IncomingMessage, 'headers' | 'socket'>,
  trustedHops: number,
): string => {
  const direct = req.socket.remoteAddress ?? 'unknown';
  if (trustedHops === 0) return countedAddress(direct);
  const header = req.headers['x-forwarded-for'];
  const forwarded = (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  // Fewer than there are proxies: the call came past some of them, and the leftmost is the farthest known.
  return countedAddress(forwarded.at(-trustedHops) ?? forwarded[0] ?? direct);
};

/**
 * The /48 of an IPv6 address: what a provider may give to one customer, with 65,536 addresses of the form that
 * `clientAddress` answers. Undefined for every other address.
 */
export const networkOf = (address: string): string | undefined => {
  const [one, two, three, four] = address.split(':');
  return four === undefined || !address.endsWith('::/64') ? undefined : `${one}:${two}:${three}::/48`;
};

/**
 * The address as it is logged: enough to see where a wave of attempts comes from, and too little to find one
 * household by (LOG-1). Takes what `clientAddress` answers.
 *
 * truncatedAddress('203.0.113.77') is 203.0.113.0/24; of 2001:db8:1:2::/64 it is 2001:db8:1::/48.
 */
export const truncatedAddress = (address: string): string => {
  if (isIPv4(address)) return `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
  return networkOf(address) ?? 'unknown';
};

const countedAddress = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain.slice(0, 64);
  const [head = '', tail] = (plain.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
};
