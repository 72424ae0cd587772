import { PassThrough } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { DomainError } from '../edge/errors.ts';
import { failBody, readJsonBody } from './body.ts';

const request = (headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  Object.assign(new PassThrough(), { headers }) as unknown as IncomingMessage & PassThrough;
const read = (body: string | Buffer, headers?: Record<string, string>, limit = 100) => {
  const req = request(headers);
  const result = readJsonBody(req, limit);
  req.end(body);
  return result;
};

describe('readJsonBody', () => {
  it('returns the object, also when it arrives in parts', async () => {
    const req = request();
    const result = readJsonBody(req, 100);
    for (const part of ['{"na', 'me":"Ö', '"}']) req.write(part);
    req.end();
    expect(await result).toEqual({ name: 'Ö' });
  });

  it('returns undefined without a body', async () => {
    expect(await read('', {})).toBeUndefined();
  });

  it('accepts a body of exactly the limit', async () => {
    expect(await read('{"a":1}', undefined, 7)).toEqual({ a: 1 });
  });

  it.each<[string, string | Buffer, Record<string, string> | undefined, string]>([
    ['a body above the limit', `{"a":"${'x'.repeat(100)}"}`, undefined, 'payload-too-large'],
    ['a declared length above the limit', '', { 'content-length': '101' }, 'payload-too-large'],
    ['a compressed body', '{}', { 'content-encoding': 'gzip' }, 'unsupported-media-type'],
    ['a body without a type', '{}', {}, 'unsupported-media-type'],
    ['another type', '{}', { 'content-type': 'application/jsonp' }, 'unsupported-media-type'],
    [
      'another charset',
      '{}',
      { 'content-type': 'application/json; charset=latin1' },
      'unsupported-media-type',
    ],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), undefined, 'malformed'],
    ['text that is not JSON', '{', undefined, 'malformed'],
    ['an array', '[]', undefined, 'malformed'],
    ['null', 'null', undefined, 'malformed'],
    ['nine levels', `${'{"a":'.repeat(9)}1${'}'.repeat(9)}`, undefined, 'malformed'],
    ['an operator', '{"a":[{"$gt":1}]}', undefined, 'forbidden-key'],
    ['a path', '{"a.b":1}', undefined, 'forbidden-key'],
    ['a prototype', '{"__proto__":{}}', undefined, 'forbidden-key'],
  ])('rejects %s', async (_name, body, headers, code) => {
    await expect(read(body, headers)).rejects.toMatchObject({ code });
  });

  it('rejects with the error of `failBody`, which is a no-op afterwards', async () => {
    const req = request();
    const result = readJsonBody(req, 100);
    expect(failBody(req, new DomainError('request-timeout'))).toBe(true);
    await expect(result).rejects.toMatchObject({ code: 'request-timeout' });
    expect(failBody(req, new DomainError('request-timeout'))).toBe(false);
  });
});
