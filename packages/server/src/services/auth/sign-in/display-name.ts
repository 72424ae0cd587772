import { truncateText } from '@pufftrack/contract';

const maxLength = 50;

/**
 * The name that the app got from Apple's sheet, as one display name; null where there is none. Its parts are cleaned by
 * the schema (SIWA-13); together they are truncated between two graphemes, so that a long name keeps nobody out.
 */
export const displayNameOf = (
  name: { firstName?: string | undefined; lastName?: string | undefined } | undefined,
): string | null => {
  const parts = [name?.firstName, name?.lastName].filter((part) => part !== undefined);
  return truncateText(parts.join(' '), maxLength) || null;
};
