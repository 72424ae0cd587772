/** 50 bits: guessing one of a million people takes a billion tries (API-6). */
export const friendCodeLength = 10;

/**
 * A code as somebody typed it, in the form in which codes are stored: Crockford base32, where case, blanks and dashes
 * do not count, O is 0, and I and L are 1. What is no code comes out as something that nobody has.
 */
export const normaliseFriendCode = (typed: string): string =>
  typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
