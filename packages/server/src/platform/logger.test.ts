import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.ts';

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

describe('the log', () => {
  it.each([
    'authorization',
    'accessToken',
    'refreshToken',
    'identityToken',
    'nonce',
    'email',
    'name',
    'timestamp',
  ])('never prints %s', (key) => {
    expect(written({ [key]: 'canary' })).not.toContain('canary');
    expect(written({ request: { [key]: 'canary' } })).not.toContain('canary');
    expect(written({ request: { [key]: 'canary' } })).toContain('something happened');
  });
});
