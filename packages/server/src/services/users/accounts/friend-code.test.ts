import { describe, expect, it } from '@jest/globals';
import { randomCode } from '../../../platform/ids.ts';
import { friendCodeLength, normaliseFriendCode } from './friend-code.ts';

describe('a friend code as typed', () => {
  it.each([
    ['7KX2M-9QRTB', '7KX2M9QRTB'],
    ['7kx2m 9qrtb', '7KX2M9QRTB'],
    ['OOIL1-0oil1', '0011100111'],
    ['７ＫＸ２Ｍ－９ＱＲＴＢ', '7KX2M9QRTB'],
    ['７ｋｘ２ｍ　９ｑｒｔｂ', '7KX2M9QRTB'],
    ['ｏＯiｌL', '00111'],
    ['7KX2M—9QRTB', '7KX2M9QRTB'],
    ['7KX2M−9QRTB\u00a0', '7KX2M9QRTB'],
  ])('%j is %s', (typed, code) => {
    expect(normaliseFriendCode(typed)).toBe(code);
  });

  it('is what was made, where nothing was changed', () => {
    for (let index = 0; index < 100; index++) {
      const code = randomCode(friendCodeLength);
      expect(normaliseFriendCode(code)).toBe(code);
    }
  });
});
