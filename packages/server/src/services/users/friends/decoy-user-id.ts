/**
 * Stands for an account where a friend code has none: look-ups under it cost the same as real ones and find nothing. Also
 * marks an invite as used by a deleted account.
 */
export const decoyUserId = '-';
