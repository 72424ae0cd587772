import type { z } from 'zod';
import { DomainError } from './errors.ts';

/** A name of a query under which a token is sent, whatever the form of its value. */
const tokenName = /^(access|refresh|identity|id)?[_-]?token$/i;

/** A JWS or JWE in its compact form, or a refresh token of this server. Nothing else in a URL here has these forms. */
const tokenForm = /eyJ[\w-]+\.[\w-]+\.|(?<![A-Za-z0-9])ptr_\w/;

/** More layers of percent-encoding than proxies and clients add by mistake. */
const maxLayers = 4;

/** ASCII characters of a URL, however often they are percent-encoded: all that a token is made of. */
const decodedAscii = (url: string): string => {
  let text = url;
  for (let layer = 0; layer < maxLayers && text.includes('%'); layer++)
    text = text
      .replaceAll(/%(?:25)+/g, '%')
      .replaceAll(/%([0-7][0-9a-f])/gi, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return text;
};

/**
 * Refuses a token anywhere in a URL, which ends up in logs of proxies and in histories (SES-8): by its form in
 * the path, a name or a value, and by the name of the parameter. Throws `unauthenticated`.
 */
export const refuseUrlTokens = (url: string): void => {
  if (!tokenForm.test(decodedAscii(url)) && !queryNamesOf(url).some((name) => tokenName.test(name))) return;
  throw new DomainError('unauthenticated', {
    detail: 'A token in the URL is refused; use the Authorization header, or `auth: {token}` of a socket.',
  });
};

const queryNamesOf = (url: string): string[] => {
  const mark = url.indexOf('?');
  return mark < 0 ? [] : [...new URLSearchParams(url.slice(mark + 1)).keys()];
};

const noQuery: Record<string, string> = {};

/**
 * The query of a URL as its schema sees it. Flat: `a[b]` is a plain name. A name of the schema that is given twice has
 * no value: which of the two counts is nothing to guess. Throws `invalid`.
 */
export const queryOf = (url: string, schema: z.ZodObject | undefined): Record<string, string> => {
  const mark = url.indexOf('?');
  if (mark < 0 || !schema) return noQuery;
  const pairs = [...new URLSearchParams(url.slice(mark + 1))];
  const twice = Object.keys(schema.shape).filter(
    (name) => pairs.filter(([given]) => given === name).length > 1,
  );
  if (twice.length > 0)
    throw new DomainError('invalid', {
      detail: 'Some values are given twice; `errors` says which.',
      errors: twice.map((path) => ({ path, message: 'must be given once' })),
    });
  return Object.fromEntries(pairs);
};
