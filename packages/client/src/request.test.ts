import { describe, expect, test } from '@jest/globals';
import { endpoints } from '@pufftrack/contract';
import { buildRequest } from './request.ts';
import { parseRetryAfter } from './transport.ts';

describe('buildRequest', () => {
  test('encodes path parameters', () => {
    const { method, path } = buildRequest(endpoints.removeFriend, { params: { userId: 'a/b c?ü' } });
    expect(method).toBe('DELETE');
    expect(path).toBe('/friends/a%2Fb%20c%3F%C3%BC');
  });

  test.each([undefined, '', '.', '..'])('refuses %p, which would name another endpoint', (userId) => {
    expect(() => buildRequest(endpoints.removeFriend, { params: { userId } })).toThrow(TypeError);
  });

  test('leaves absent query values out and encodes the others', () => {
    const query = { from: '2026-01-01T00:00:00+01:00', to: undefined, limit: 7 };
    expect(buildRequest(endpoints.listPuffs, { query }).path).toBe(
      '/puffs?from=2026-01-01T00%3A00%3A00%2B01%3A00&limit=7',
    );
    expect(buildRequest(endpoints.listPuffs, { query: {} }).path).toBe('/puffs');
  });

  test('sends a body only if there is one', () => {
    expect(buildRequest(endpoints.recordPuff, { body: { quantity: 2 } }).body).toBe('{"quantity":2}');
    expect(buildRequest(endpoints.recordPuff, {}).body).toBeUndefined();
  });
});

test('Retry-After is seconds or a date', () => {
  expect(parseRetryAfter('3', 0)).toBe(3000);
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4000)).toBe(6000);
  expect(parseRetryAfter('soon', 0)).toBeUndefined();
  expect(parseRetryAfter(null, 0)).toBeUndefined();
});
