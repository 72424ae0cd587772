import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import {
  AgeBand,
  Instant,
  Locale,
  Product,
  Purpose,
  ShareLevel,
  text,
  WeekStart,
  ZoneName,
} from './values.ts';

export const User = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable().meta({ description: 'Shown to the owner alone.' }),
    createdAt: Instant,
    lastLoginAt: Instant,
    timeZone: z.string(),
    locale: z.string(),
    dayStartHour: z.number().int().min(0).max(23),
    weekStart: WeekStart,
    product: Product,
    friendCode: z.string().meta({ description: '10 characters of Crockford base32.' }),
    defaultShareLevel: ShareLevel,
    ageBand: AgeBand,
  })
  .meta({ id: 'User', description: 'A person, as they see themselves.' });
export type User = z.infer<typeof User>;

export const UserPatch = z
  .object({
    name: text(1, 50).nullish(),
    timeZone: ZoneName.nullish().meta({ description: 'null: UTC.' }),
    locale: Locale.nullish(),
    dayStartHour: z.number().int().min(0).max(23).nullish(),
    weekStart: WeekStart.nullish(),
    product: Product.nullish(),
    defaultShareLevel: ShareLevel.nullish(),
  })
  .meta({ id: 'UserPatch', description: 'Absent = keep, null = clear (back to the default).' });
export type UserPatch = z.infer<typeof UserPatch>;

export const Consent = z
  .object({ purpose: Purpose, version: z.string(), granted: z.boolean(), at: Instant })
  .meta({ id: 'Consent', description: 'The newest word on one purpose.' });
export type Consent = z.infer<typeof Consent>;

export const ConsentList = z.object({ consents: z.array(Consent) });

export const ConsentChange = z.object({ purpose: Purpose, version: text(1, 32), granted: z.boolean() });
export type ConsentChange = z.infer<typeof ConsentChange>;

export const getMe = endpoint({
  method: 'GET',
  path: '/users/me',
  tag: 'users',
  auth: 'user',
  summary: 'The signed-in person',
  responses: { 200: User },
  problems: [],
});

export const patchMe = endpoint({
  method: 'PATCH',
  path: '/users/me',
  tag: 'users',
  auth: 'user',
  summary: 'Change the profile; absent fields stay as they are',
  body: UserPatch,
  responses: { 200: User },
  problems: [],
});

export const putMe = endpoint({ ...patchMe, method: 'PUT', summary: 'The same as PATCH' });

export const getConsents = endpoint({
  method: 'GET',
  path: '/users/me/consents',
  tag: 'users',
  auth: 'user',
  summary: 'What the person has agreed to, by purpose',
  responses: { 200: ConsentList },
  problems: [],
});

export const putConsents = endpoint({
  method: 'PUT',
  path: '/users/me/consents',
  tag: 'users',
  auth: 'user',
  summary: 'Grant or withdraw; a purpose not named keeps its state',
  body: z.object({ consents: z.array(ConsentChange).min(1).max(20) }),
  responses: { 200: ConsentList },
  problems: ['consent-version'],
});

export const getLegalVersions = endpoint({
  method: 'GET',
  path: '/legal/versions',
  tag: 'users',
  auth: 'none',
  summary: 'The versions of the texts that a consent names now',
  responses: { 200: z.record(Purpose, z.string()) },
  problems: [],
});
