import { describe, expect, it } from '@jest/globals';
import { UserPatch } from '@pufftrack/contract';

describe('a locale in PATCH /users/me', () => {
  it.each([
    ['de', 'de'],
    ['de-AT', 'de-AT'],
    ['de_DE', 'de-DE'],
    ['en_US@currency=EUR', 'en-US'],
    ['en_US@calendar=buddhist;currency=EUR', 'en-US'],
    ['zh-Hans_CN', 'zh-Hans-CN'],
    ['zh_Hant_TW', 'zh-Hant-TW'],
    ['zh_CN_#Hans', 'zh-CN'],
    ['ZH-HANT-tw', 'zh-Hant-TW'],
    ['en_US.UTF-8', 'en-US'],
    ['es_419', 'es-419'],
    ['en-US-u-ca-gregory-co-phonebk-nu-latn-hc-h23-kn-true-kf-false', 'en-US-u-ca-gregory-co-phonebk-nu'],
    [' pt_BR ', 'pt-BR'],
  ])('%j is kept as %j', (sent, kept) => {
    expect(UserPatch.parse({ locale: sent, name: 'Ann' })).toEqual({ locale: kept, name: 'Ann' });
  });

  it.each(['', '_', 'C', 'english please', 'de AT', '🦊', 'x'.repeat(60), '\u202e', '\ud800'])(
    '%j is not used, and the rest of the call is',
    (sent) => {
      expect(UserPatch.parse({ locale: sent, name: 'Ann' })).toEqual({ name: 'Ann' });
    },
  );

  it.each([7, {}, [], true])('%j is refused: it is no text', (sent) => {
    expect(UserPatch.safeParse({ locale: sent }).success).toBe(false);
  });

  it('null clears it', () => {
    expect(UserPatch.parse({ locale: null })).toEqual({ locale: null });
  });
});
