const maxLength = 50;

/**
 * The name that the app got from Apple's sheet, as one display name; null where there is none. It is what somebody
 * typed, and the app may send anything (SIWA-13). A name that is too long is cut, so that it keeps nobody out.
 */
export const displayNameOf = (
  name: { firstName?: string | null | undefined; lastName?: string | null | undefined } | null | undefined,
): string | null => {
  const whole = [name?.firstName, name?.lastName]
    .map((part) => part?.trim() ?? '')
    .filter((part) => part !== '')
    .join(' ');
  // Not through the middle of a character of two code units.
  const cut = whole
    .slice(0, maxLength)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trim();
  return cut === '' ? null : cut;
};
