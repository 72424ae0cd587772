import { z } from 'zod';
import { canonicalLocale } from './locale.ts';
import { cleanText, text, tolerantText, truncateText } from './text.ts';

export { text };

/**
 * An optional member of a request: null means absent, and the handler sees undefined for both. A member whose null means
 * something, like a cleared value, is `.nullish()` and says so.
 */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().overwrite((value) => value ?? undefined) as unknown as z.ZodOptional<
    z.ZodType<z.output<T>, z.input<T> | null>
  >;

/**
 * Text that only decorates a call, like the name of a device: cleaned and truncated, and absent where nothing visible is
 * left or where it is no text at all. It is never a reason to refuse the call.
 */
export const decoration = (max: number) =>
  optional(
    z
      .string()
      .overwrite((value) => truncateText(cleanText(value), max))
      .min(1),
  ).catch(undefined);

/** ISO 8601 with an offset or `Z`; answered in UTC with milliseconds. */
export const Instant = z.iso
  .datetime({
    offset: true,
    error: 'must be an ISO 8601 instant with offset, like 2026-10-21T10:00:00Z',
  })
  .meta({ description: 'ISO 8601 instant with offset or Z.', example: '2026-10-25T07:15:00.000Z' });

export const Day = z.iso
  .date({ error: 'must be a day of the calendar, like 2026-10-21' })
  .meta({ description: 'Local day, YYYY-MM-DD (local-day model).', example: '2026-10-25' });

/** Any string that could be a zone name. Whether the server knows it is decided by the service. */
export const ZoneName = tolerantText(1, 64).meta({
  description: 'IANA time zone name.',
  example: 'Europe/Berlin',
});

/** A zone that decides nothing about whether its puff is kept: any string; one that is no zone name is an unknown zone. */
export const ZoneOfPuff = z
  .string()
  .overwrite((name) => truncateText(cleanText(name), 64))
  .meta({
    description: 'IANA time zone name. An unknown one keeps the puff, in the zone of the person.',
    example: 'Europe/Berlin',
  });

/**
 * A language as phones write it (`de-AT`, `de_AT`, `en_US@currency=EUR`), kept as a canonical BCP 47 tag. What is no
 * language tag counts as absent: it never costs the rest of a call.
 */
export const Locale = z.string().transform(canonicalLocale).meta({
  description: 'A language tag as the phone writes it, kept in BCP 47; what is none is not used.',
  example: 'de-AT',
});

/** A UUID in either case, compared, stored and answered in lower case. */
export const Uuid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/, {
    error: 'must be a UUID',
  })
  .toLowerCase()
  .meta({ description: 'UUID made by the client.', example: '0192f0c1-7e4b-7c3a-9d52-1f2e3a4b5c6d' });

export const Id = text(1, 64).meta({ description: 'Opaque id.' });

export const ShareLevel = z
  .enum(['none', 'milestones', 'summary', 'live'])
  .meta({ id: 'ShareLevel', description: 'What a friend may see, from nothing to live events.' });
export type ShareLevel = z.infer<typeof ShareLevel>;

export const Product = z.enum(['vape', 'cigarette']).meta({ description: 'What was used.' });
export const AgeBand = z.enum(['18+', 'under-18']).meta({ description: 'The age that the user has stated.' });
export const WeekStart = z
  .enum(['monday', 'sunday'])
  .meta({ description: 'First day of the week in counts by week.' });

export const purposes = [
  'terms',
  'health-processing',
  'friends-sharing',
  'leaderboard',
  'push',
  'insights',
] as const;
export const Purpose = z.enum(purposes).meta({ id: 'Purpose', description: 'What a consent is for.' });
export type Purpose = z.infer<typeof Purpose>;

/** `?limit=`: 1..500, default 50; outside 422, never clamped. */
export const Limit = z
  .string()
  .regex(/^[0-9]{1,9}$/, { error: 'must be a whole number' })
  .transform(Number)
  .pipe(z.number().min(1).max(500))
  .default(50);

export const Cursor = z.string().optional().meta({ description: 'nextCursor of the page before.' });

export const NextCursor = z
  .string()
  .nullable()
  .meta({ description: '`cursor` of the next page; null on the last one.' });
