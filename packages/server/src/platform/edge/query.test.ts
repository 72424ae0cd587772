import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { refuseUrlTokens } from './query.ts';

const jws = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
const unsigned = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.';
const refreshToken = `ptr_${'0a'.repeat(13)}.12.${'A'.repeat(43)}`;
const tokens = [jws, unsigned, refreshToken];

const isRefused = (url: string) => {
  try {
    refuseUrlTokens(url);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'unauthenticated' });
    return true;
  }
};

const escaped = (text: string) =>
  Array.from(text, (character) => `%${character.charCodeAt(0).toString(16)}`).join('');

describe('refuseUrlTokens (SES-8)', () => {
  it.each(tokens)('refuses %s by its form, wherever it stands', (token) => {
    for (const url of [
      `/users/me?jwt=${token}`,
      `/users/me?x=1&JWT=${token}&y=2`,
      `/nowhere?${token}`,
      `/nowhere?${token}=1`,
      `/puffs/${token}`,
      `/${token}/x`,
      `/?a=Bearer%20${token}`,
      `/?a=prefix:${token}`,
      `/?a[b]=${token}`,
      `//host/${token}`,
    ])
      expect([url, isRefused(url)]).toEqual([url, true]);
  });

  it.each(tokens)('refuses %s under several layers of percent-encoding', (token) => {
    const layers = [
      escaped(token),
      token.replaceAll('.', '%2e'),
      token.replaceAll('.', '%252E'),
      token.replaceAll('.', '%25252e'),
      encodeURIComponent(encodeURIComponent(escaped(token))),
      escaped(escaped(token)),
    ];
    for (const layer of layers) expect([layer, isRefused(`/x?v=${layer}`)]).toEqual([layer, true]);
  });

  it.each(['token', 'access_token', 'accessToken', 'refresh_token', 'ID-TOKEN', '%74oken'])(
    'refuses any value of %s',
    (name) => {
      expect(isRefused(`/users/me?${name}=opaque`)).toBe(true);
    },
  );

  it.each([
    '/puffs?from=2026-10-21T10:00:00Z&limit=50',
    '/puffs?cursor=eyJhIjoxfQ',
    '/friends/0192f0c1-7e4b-7c3a-9d52-1f2e3a4b5c6d',
    '/docs/swagger-ui.css',
    '/socket.io/?EIO=4&transport=websocket&t=abc.def.ghi',
    `/devices/${'ab'.repeat(32)}`,
    '/%E0%A4%A',
    '/?x=100%',
    '/nowhere?script_name=a.b.c',
  ])('lets %s pass', (url) => {
    expect(isRefused(url)).toBe(false);
  });

  it('finds a token in any surroundings, and does not fail on any URL', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), fc.constantFrom(...tokens), (path, query, token) => {
        expect(() => isRefused(`${path}?${query}`)).not.toThrow();
        expect(isRefused(`${path}?${query}&v=${token}`)).toBe(true);
        expect(isRefused(`${path}/${token}?${query}`)).toBe(true);
      }),
    );
  });
});
