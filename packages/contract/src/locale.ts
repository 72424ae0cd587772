/** What the longest common language tags need; extensions of a longer one are dropped. */
const maxLength = 35;

/**
 * The canonical BCP 47 tag of a locale as a phone writes it; undefined where there is none in it.
 *
 * Apple and Android separate by `_` and add keywords after `@` or `#`, POSIX a character set after `.`; none of these says
 * anything about the language. Of a tag with a part that cannot be read the parts before it are used.
 *
 * `de_AT`: `de-AT`; `en_US@currency=EUR`: `en-US`; `zh-hans_cn`: `zh-Hans-CN`; `english please`: undefined.
 */
export const canonicalLocale = (sent: string): string | undefined => {
  const [name = ''] = sent.trim().split(/[@.#]/);
  const parts = name.split(/[-_]/).slice(0, 10);
  for (; parts.length > 0; parts.pop()) {
    const tag = canonical(parts.join('-'));
    if (tag !== undefined && tag.length <= maxLength) return tag;
  }
  return undefined;
};

const canonical = (tag: string): string | undefined => {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
};
