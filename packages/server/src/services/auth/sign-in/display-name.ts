import { truncateText } from '@pufftrack/contract';

const maxLength = 50;

/**
 * The display name from Apple's first and last name; null if both are absent. The schema cleans the parts (SIWA-13);
 * the whole is truncated between two graphemes, so that a long name does not reject a sign-in.
 */
export const displayNameOf = (
  name: { firstName?: string | undefined; lastName?: string | undefined } | undefined,
): string | null => {
  const parts = [name?.firstName, name?.lastName].filter((part) => part !== undefined);
  return truncateText(parts.join(' '), maxLength) || null;
};
