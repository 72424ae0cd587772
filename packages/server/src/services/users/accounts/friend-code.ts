/** 50 bits: guessing one of a million people takes a billion tries (API-6). */
export const friendCodeLength = 10;

/**
 * A code as typed, in the form in which codes are stored: Crockford base32, where case, width (NFKC), blanks and dashes do
 * not count, O is 0, and I and L are 1. What is no code comes out as something that no account has.
 */
export const normaliseFriendCode = (typed: string): string =>
  typed
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s\p{Pd}\u2212]/gu, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
