import { z } from 'zod';

/** The closed list of problem codes with their HTTP status. New ones come with a line in the wire contract. */
export const problemStatus = {
  malformed: 400,
  'forbidden-key': 400,
  'invalid-cursor': 400,
  invalid: 422,
  unauthenticated: 401,
  'invalid-token': 401,
  'token-expired': 401,
  'session-ended': 401,
  'refresh-reused': 401,
  'invalid-identity-token': 401,
  'invalid-nonce': 401,
  'reauth-required': 401,
  'account-gone': 401,
  'consent-required': 403,
  'age-confirmation-required': 403,
  'under-age': 403,
  'device-refused': 403,
  'origin-not-allowed': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  conflict: 409,
  'undo-too-late': 409,
  'puff-deleted': 410,
  'resync-required': 410,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'expectation-failed': 417,
  'timestamp-in-future': 422,
  'too-old': 422,
  'day-full': 422,
  'limit-reached': 422,
  'consent-version': 422,
  'upgrade-required': 426,
  'rate-limited': 429,
  'headers-too-large': 431,
  internal: 500,
  overloaded: 503,
  'not-ready': 503,
  'apple-unavailable': 503,
} as const;

export type ProblemCode = keyof typeof problemStatus;

const codes = Object.keys(problemStatus) as [ProblemCode, ...ProblemCode[]];

/** RFC 9457 problem details; the same object stands in socket acks and in `connect_error`. */
export const Problem = z
  .looseObject({
    type: z.string().meta({ description: '`urn:pufftrack:problem:` and the code.' }),
    title: z.string(),
    status: z.number().int(),
    code: z.enum(codes).meta({ description: 'What a client decides by.' }),
    detail: z.string().meta({ description: 'For a developer; not a text for users.' }),
    instance: z.string().meta({ description: 'This occurrence: `urn:uuid:` and the `requestId`.' }),
    requestId: z.string().meta({ description: 'The id of the call in the log of the server.' }),
    errors: z
      .array(
        z.object({
          path: z.string().meta({ description: 'The field, members joined by dots.' }),
          message: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'Each field that is not valid, and what is right.' }),
    purposes: z
      .array(z.string())
      .optional()
      .meta({ description: 'With `consent-required`: the missing consents.' }),
    serverTime: z
      .string()
      .optional()
      .meta({ description: 'With a rejected timestamp: the time of the server.' }),
    limit: z
      .number()
      .int()
      .optional()
      .meta({ description: 'With `limit-reached`: how many entries the history may have.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });
export type Problem = z.infer<typeof Problem>;
