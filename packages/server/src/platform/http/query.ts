import type { z } from 'zod';
import { DomainError } from '../errors.ts';

const tokenName = /^(access|refresh|identity|id)?[_-]?token$/i;

/** Refuses a token in a URL, which ends up in logs of proxies and in histories (trust.md SES-8). Takes names of a query. */
export const refuseUrlTokens = (names: Iterable<string>): void => {
  for (const name of names)
    if (tokenName.test(name))
      throw new DomainError('unauthenticated', {
        detail:
          'A token in the URL is refused; use the Authorization header, or `auth: {token}` of a socket.',
      });
};

/** The names in the query of a URL. */
export const queryNamesOf = (url: string): string[] => {
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
