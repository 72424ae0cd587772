import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { MongoServerError } from 'mongodb';
import { createLogger, refOf } from './logger.ts';

const written = (value: object): string => {
  let text = '';
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  createLogger({ level: 'info', destination }).info(value, 'something happened');
  return text;
};

describe('the log (LOG-1)', () => {
  it.each([
    'authorization',
    'Authorization',
    'cookie',
    'token',
    'accessToken',
    'refreshToken',
    'refresh_token',
    'identityToken',
    'deviceCheckToken',
    'client_secret',
    'authorizationCode',
    'friendCode',
    'nonce',
    'email',
    'name',
    'firstName',
    'friendName',
    'timestamp',
    'trigger',
    'deviceId',
    'sub',
    'url',
    'headers',
    'privateKey',
    'masterKey',
    'body',
  ])('never prints %s, at any depth', (key) => {
    for (const value of [
      { [key]: 'canary' },
      { request: { [key]: 'canary' } },
      { list: [{ a: { b: { [key]: { c: 'canary' } } } }] },
      { a: { b: { c: { d: { e: { f: { g: { [key]: 'canary' } } } } } } } },
    ]) {
      expect(written(value)).not.toContain('canary');
      expect(written(value)).toContain('something happened');
    }
  });

  it('prints what an operator needs', () => {
    const line = JSON.parse(written({ event: 'auth.sign_in', code: 'invalid-nonce', attempt: 3 })) as object;
    expect(line).toMatchObject({ event: 'auth.sign_in', code: 'invalid-nonce', attempt: 3 });
  });

  it('names a person by a reference, the same every time', () => {
    const text = written({ userId: 'ackgfv79drjq0cc0wnd2hga37y' });
    expect(text).not.toContain('ackgfv79drjq0cc0wnd2hga37y');
    expect(JSON.parse(text)).toMatchObject({ userRef: refOf('ackgfv79drjq0cc0wnd2hga37y') });
  });

  it('prints of an error its type, message, stack and code, and no document', () => {
    const error = new MongoServerError({
      message:
        'E11000 duplicate key error collection: test.puffs index: _id_ dup key: { _id: { p: "canary" } }',
      code: 11000,
      keyValue: { p: 'canary' },
      writeErrors: [{ op: { timestamp: 'canary' } }],
    });
    const line = JSON.parse(written({ err: error })) as { err: object };
    expect(line.err).toMatchObject({ type: 'MongoServerError', code: 11000 });
    expect(JSON.stringify(line)).toContain('E11000');
    expect(JSON.stringify(line)).not.toContain('canary');
    const leaky = new Error('bad token eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0. and ptr_abc.1.canary', {
      cause: error,
    });
    const text = written({ err: leaky, nested: { err: leaky } });
    for (const secret of ['eyJh', 'canary']) expect(text).not.toContain(secret);
  });
});
