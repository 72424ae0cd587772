import { problemStatus, type Problem } from '@pufftrack/contract';
import type { z } from 'zod';
import { DomainError } from './errors.ts';
import { isDatabaseUnavailable } from '../mongo/errors.ts';

/** Converts a thrown value to an error that a client may see. No detail of an unknown error is sent. */
export const toDomainError = (error: unknown): DomainError => {
  if (error instanceof DomainError) return error;
  if (isDatabaseUnavailable(error))
    return new DomainError('overloaded', {
      detail: 'The database does not answer at the moment. Send the same request again.',
      retryAfterSeconds: 1,
      cause: error,
    });
  if (isMalformedUrl(error)) return new DomainError('malformed', { detail: 'The URL is not well formed.' });
  return new DomainError('internal', {
    detail: 'Something failed here. The request may be sent again.',
    cause: error,
  });
};

/** Whether a token may have been guessed. An expired token of this server was not, and an outage of the database is no failure. */
export const isAuthenticationFailure = (error: unknown): boolean =>
  error instanceof DomainError &&
  problemStatus[error.code] === 401 &&
  error.code !== 'token-expired' &&
  error.code !== 'session-ended';

/** A body that no handler sees. */
export const isUnreadableBody = (error: unknown): boolean =>
  error instanceof DomainError &&
  ['malformed', 'forbidden-key', 'payload-too-large', 'unsupported-media-type', 'request-timeout'].includes(
    error.code,
  );

// Express gives a 400 to a path that does not decode.
const isMalformedUrl = (error: unknown) =>
  error instanceof URIError || (error as { status?: unknown }).status === 400;

const titles: Partial<Record<DomainError['code'], string>> = {
  internal: 'Internal error',
  invalid: 'Invalid value',
  malformed: 'Malformed request',
  overloaded: 'Overloaded',
};

const titleOf = (code: DomainError['code']) =>
  titles[code] ?? code.charAt(0).toUpperCase() + code.slice(1).replaceAll('-', ' ');

/** RFC 9457, the same object for HTTP answers, socket acks and refused connections. */
export const problemOf = (error: DomainError, requestId: string): Problem => ({
  type: `urn:pufftrack:problem:${error.code}`,
  title: titleOf(error.code),
  status: problemStatus[error.code],
  code: error.code,
  detail: error.details.detail ?? `${titleOf(error.code)}.`,
  // Not the URL, whose path may hold a device token.
  instance: `urn:uuid:${requestId}`,
  requestId,
  ...(error.details.errors && { errors: error.details.errors }),
  ...(error.details.purposes && { purposes: [...error.details.purposes] }),
  ...(error.details.limit !== undefined && { limit: error.details.limit }),
  ...(error.details.serverTime && { serverTime: error.details.serverTime }),
});

/** Headers that go with a problem. */
export const problemHeaders = (error: DomainError): Record<string, string> => ({
  ...(problemStatus[error.code] === 401 && {
    'WWW-Authenticate': error.code === 'unauthenticated' ? 'Bearer' : 'Bearer error="invalid_token"',
  }),
  ...(error.code === 'request-timeout' && { Connection: 'close' }),
  ...(error.details.retryAfterSeconds !== undefined && {
    'Retry-After': String(error.details.retryAfterSeconds),
  }),
});

/** A value that its schema refuses: which field, and what would be right. */
export const invalidInput = (error: z.ZodError): DomainError =>
  new DomainError('invalid', {
    detail: 'Some values are not valid; `errors` says which.',
    errors: issuesOf(error),
  });

export const issuesOf = (error: z.ZodError): { path: string; message: string }[] =>
  error.issues
    .slice(0, 20)
    .map((issue) => ({ path: issue.path.map(String).join('.'), message: issue.message }));
