import { z } from 'zod';

// Control characters of C0, DEL and C1; tabs and line breaks among them: no field of this API has several lines.
// eslint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

/** Half of a character of two code units: no UTF-8 can hold it. */
const loneSurrogate = /\p{Surrogate}/u;

/** Text from a person: NFC-normalised and trimmed; control characters are refused. Length counts code units. */
export const text = (min: number, max: number) =>
  z
    .string()
    .overwrite((value) => value.normalize('NFC').trim())
    .min(min)
    .max(max)
    .refine((value) => !controlCharacter.test(value), { error: 'must not hold control characters' })
    .refine((value) => !loneSurrogate.test(value), { error: 'must be well-formed Unicode' });

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
export const ZoneName = text(1, 64).meta({ description: 'IANA time zone name.', example: 'Europe/Berlin' });

/** A language, with whatever more a BCP 47 tag may say; kept and answered as sent. */
export const Locale = text(2, 35)
  // iOS also writes `de_AT`, and `zh-Hans_CN`.
  .refine((tag) => /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/.test(tag), {
    error: 'must be a language tag, like en, de-AT or de_AT',
  })
  .meta({ description: 'A language tag as the phone writes it.', example: 'de-AT' });

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

export const Product = z.enum(['vape', 'cigarette']);
export const AgeBand = z.enum(['18+', 'under-18']);
export const WeekStart = z.enum(['monday', 'sunday']);

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
