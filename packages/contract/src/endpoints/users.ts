import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import {
  AgeBand,
  Instant,
  Locale,
  optional,
  Product,
  Purpose,
  ShareLevel,
  text,
  WeekStart,
  ZoneName,
} from '../values.ts';

export const Ghost = z
  .object({
    since: Instant,
    until: Instant.nullable().meta({ description: 'null: until it is ended.' }),
  })
  .meta({
    id: 'Ghost',
    description: 'Friends see the last summary, marked as resting, and receive no events.',
  });
export type Ghost = z.infer<typeof Ghost>;

export const User = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable().meta({ description: 'Shown to the owner alone.' }),
    createdAt: Instant,
    lastLoginAt: Instant,
    timeZone: z.string(),
    locale: z.string().meta({ description: 'BCP 47 language tag.' }),
    dayStartHour: z
      .number()
      .int()
      .min(0)
      .max(23)
      .meta({ description: 'The hour of the wall clock at which a local day begins.' }),
    weekStart: WeekStart,
    product: Product,
    friendCode: z.string().meta({ description: '10 characters of Crockford base32.' }),
    defaultShareLevel: ShareLevel,
    ageBand: AgeBand,
    ghost: Ghost.optional().meta({ description: 'While it is in force.' }),
  })
  .meta({ id: 'User', description: 'An account as its owner sees it.' });
export type User = z.infer<typeof User>;

export const UserPatch = z
  .object({
    name: text(1, 50).nullish(),
    timeZone: ZoneName.nullish().meta({ description: 'null: UTC.' }),
    locale: Locale.nullish(),
    dayStartHour: z
      .number()
      .int()
      .min(0)
      .max(23)
      .nullish()
      .meta({ description: 'The hour of the wall clock at which a local day begins; null: 0.' }),
    weekStart: WeekStart.nullish(),
    product: Product.nullish(),
    defaultShareLevel: ShareLevel.nullish(),
  })
  .meta({ id: 'UserPatch', description: 'Absent = keep, null = clear (back to the default).' });
export type UserPatch = z.infer<typeof UserPatch>;

export const Consent = z
  .object({
    purpose: Purpose,
    version: z.string().meta({ description: 'The version of the text.' }),
    granted: z.boolean().meta({ description: 'False: withdrawn or never granted.' }),
    at: Instant,
  })
  .meta({ id: 'Consent', description: 'The newest consent event of one purpose.' });
export type Consent = z.infer<typeof Consent>;

export const ConsentList = z.object({ consents: z.array(Consent) });

export const ConsentChange = z.object({
  purpose: Purpose,
  version: text(1, 32).meta({ description: 'The version of the text that the user saw.' }),
  granted: z.boolean().meta({ description: 'False withdraws.' }),
});
export type ConsentChange = z.infer<typeof ConsentChange>;

/** Refuses a list that names a purpose twice: which of the two counts is undefined. */
export const eachPurposeOnce = (
  consents: readonly { purpose: Purpose }[],
  context: z.RefinementCtx,
): void => {
  const seen = new Set<Purpose>();
  consents.forEach(({ purpose }, index) => {
    if (seen.has(purpose))
      context.addIssue({ code: 'custom', path: [index, 'purpose'], message: 'must be in the list once' });
    seen.add(purpose);
  });
};

export const getMe = endpoint({
  method: 'GET',
  path: '/users/me',
  tag: 'users',
  auth: 'user',
  summary: 'The profile of the caller',
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
  problems: ['limit-reached'],
});

export const putMe = endpoint({ ...patchMe, method: 'PUT', summary: 'The same as PATCH' });

export const rotateFriendCode = endpoint({
  method: 'POST',
  path: '/users/me/friend-code',
  tag: 'users',
  auth: 'user',
  summary: 'Replace the friend code; the old one becomes invalid',
  responses: {
    200: z.object({ friendCode: z.string().meta({ description: '10 characters of Crockford base32.' }) }),
  },
  problems: [],
});

export const putGhost = endpoint({
  method: 'PUT',
  path: '/users/me/ghost',
  tag: 'users',
  auth: 'user',
  summary: 'Start ghost mode, until an instant or until it is ended',
  body: z.object({ until: Instant.nullable() }),
  responses: { 200: Ghost },
  problems: [],
});

export const deleteGhost = endpoint({
  method: 'DELETE',
  path: '/users/me/ghost',
  tag: 'users',
  auth: 'user',
  summary: 'End ghost mode; events of the time in between are not sent later',
  responses: { 204: null },
  problems: [],
});

export const deleteMe = endpoint({
  method: 'DELETE',
  path: '/users/me',
  tag: 'users',
  auth: 'user',
  freshSignIn: true,
  anyAppBuild: true,
  summary: 'Delete the account and all its data',
  body: z.object({
    authorizationCode: optional(z.string().min(1).max(2048)).meta({
      description: 'A fresh one of Apple, for the revocation of sign-ins that left no token here.',
    }),
  }),
  bodyOptional: true,
  responses: {
    202: z.object({
      manualRevocationRequired: z.boolean().meta({
        description:
          'True: the person ends the sign-in with Apple in the settings of their phone themselves.',
      }),
    }),
  },
  problems: [],
});

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
  body: z.object({
    consents: z
      .array(ConsentChange)
      .min(1)
      .max(20)
      .superRefine(eachPurposeOnce)
      .meta({ description: 'Each purpose at most once.' }),
  }),
  responses: { 200: ConsentList },
  problems: ['consent-version', 'limit-reached'],
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
