import { problemStatus, type ProblemCode } from '@pufftrack/contract';
import { describe, expect, it } from '@jest/globals';
import { MongoNetworkError } from 'mongodb';
import { z } from 'zod';
import { DomainError } from './errors.ts';
import {
  invalidInput,
  isAuthenticationFailure,
  problemHeaders,
  problemOf,
  toDomainError,
} from './problem.ts';

const codes = Object.keys(problemStatus) as ProblemCode[];

describe('DomainError', () => {
  it('has its detail as message, or its code, and keeps the cause', () => {
    const cause = new RangeError('too far');
    const error = new DomainError('invalid', { detail: 'Too far.', cause });
    expect([error.message, error.cause, error.code]).toEqual(['Too far.', cause, 'invalid']);
    const plain = new DomainError('overloaded');
    expect(plain.message).toBe('overloaded');
    expect(plain).not.toHaveProperty('cause');
  });
});

describe('toDomainError', () => {
  it('passes a DomainError through', () => {
    const error = new DomainError('not-found');
    expect(toDomainError(error)).toBe(error);
  });

  it('maps an unavailable database into `overloaded` with a time to retry', () => {
    const error = toDomainError(new MongoNetworkError('secret host'));
    expect(error).toMatchObject({ code: 'overloaded', details: { retryAfterSeconds: 1 } });
    expect(error.message).not.toContain('secret');
  });

  it('maps a path that cannot be decoded into `malformed`', () => {
    expect(toDomainError(new URIError('bad')).code).toBe('malformed');
    expect(toDomainError(Object.assign(new Error('bad'), { status: 400 })).code).toBe('malformed');
  });

  it('does not show the text of any other error', () => {
    const error = toDomainError(new Error('secret'));
    expect(error.code).toBe('internal');
    expect(JSON.stringify(problemOf(error, 'id'))).not.toContain('secret');
  });
});

describe('problemOf', () => {
  it.each(codes)('has status, type, title and detail for %s', (code) => {
    expect(problemOf(new DomainError(code), 'id')).toEqual({
      type: `urn:pufftrack:problem:${code}`,
      title: expect.stringMatching(/^[A-Z][\w ]+$/),
      status: problemStatus[code],
      code,
      detail: expect.stringMatching(/\.$/),
      instance: 'urn:uuid:id',
      requestId: 'id',
    });
  });

  it('carries the members that its error has', () => {
    const details = {
      errors: [{ path: 'a', message: 'b' }],
      purposes: ['terms'],
      limit: 0,
      serverTime: 'now',
    };
    expect(problemOf(new DomainError('invalid', details), 'id')).toMatchObject(details);
  });

  it('names each invalid field, 20 at most', () => {
    const wide = z.object(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}`, z.string()])));
    const { error } = wide.safeParse({});
    if (!error) throw new Error('accepted');
    const { errors } = problemOf(invalidInput(error), 'id');
    expect(errors).toHaveLength(20);
    expect(errors?.[0]?.path).toBe('f0');
  });
});

describe('problemHeaders', () => {
  it('challenges exactly the 401 answers', () => {
    for (const code of codes)
      expect('WWW-Authenticate' in problemHeaders(new DomainError(code))).toBe(problemStatus[code] === 401);
  });

  it('sends Retry-After, and closes the connection after a request timeout', () => {
    expect(problemHeaders(new DomainError('overloaded', { retryAfterSeconds: 2 }))).toEqual({
      'Retry-After': '2',
    });
    expect(problemHeaders(new DomainError('request-timeout'))).toEqual({ Connection: 'close' });
  });
});

describe('isAuthenticationFailure', () => {
  it('excludes expired tokens, ended sessions and other problems', () => {
    const failures = codes.filter((code) => isAuthenticationFailure(new DomainError(code)));
    expect(failures).toContain('invalid-token');
    expect(failures).not.toContain('token-expired');
    expect(failures).not.toContain('session-ended');
    expect(failures.every((code) => problemStatus[code] === 401)).toBe(true);
    expect(isAuthenticationFailure(new Error('failed'))).toBe(false);
  });
});
