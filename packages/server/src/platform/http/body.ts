import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { DomainError } from '../edge/errors.ts';

const maxDepth = 8;

/** Event of a request whose body will not be waited for any longer. */
const failed = 'bodyFailed';

/** Ends the reading of a body with this error. False where no body is being read. */
export const failBody = (req: IncomingMessage, error: DomainError): boolean => req.emit(failed, error);

/** Reads a JSON object of at most `limit` bytes; undefined where no body was sent. */
export const readJsonBody = async (req: IncomingMessage, limit: number): Promise<object | undefined> => {
  const bytes = await readBytes(req, limit);
  if (bytes.length === 0) return undefined;
  const type = req.headers['content-type'];
  if (type === undefined || !/^application\/json\s*(;|$)/i.test(type))
    throw new DomainError('unsupported-media-type', { detail: 'Send the body as application/json.' });
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new DomainError('unsupported-media-type', { detail: 'Send the body in UTF-8.' });
  // Decoding would put replacement characters where the person wrote something else.
  if (!isUtf8(bytes)) throw new DomainError('malformed', { detail: 'The body is not UTF-8.' });
  return parseJsonObject(bytes.toString('utf8'));
};

export const parseJsonObject = (source: string): object => {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    throw new DomainError('malformed', { detail: 'The body is not JSON.' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DomainError('malformed', { detail: 'The body must be a JSON object.' });
  refuseForbiddenKeys(value, 1);
  return value;
};

/**
 * Refuses keys that could become operators, paths or prototypes somewhere behind the schemas (API-3, INJ-2).
 * Own keys only: JSON.parse makes `__proto__` an own key.
 */
export const refuseForbiddenKeys = (value: unknown, depth = 1): void => {
  if (typeof value !== 'object' || value === null) return;
  if (depth > maxDepth)
    throw new DomainError('malformed', { detail: `The body is nested deeper than ${maxDepth} levels.` });
  if (Array.isArray(value)) {
    for (const item of value) refuseForbiddenKeys(item, depth + 1);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (
      key.startsWith('$') ||
      key.includes('.') ||
      key === '__proto__' ||
      key === 'constructor' ||
      key === 'prototype'
    )
      throw new DomainError('forbidden-key', {
        detail: `The key ${JSON.stringify(key.slice(0, 40))} is not allowed.`,
      });
    if (typeof inner === 'object') refuseForbiddenKeys(inner, depth + 1);
  }
};

const readBytes = (req: IncomingMessage, limit: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    /** A proxy that is still sending when the connection is closed answers 502 instead. `Connections` bounds it. */
    const dropRest = () => {
      req.removeAllListeners('data');
      req.removeAllListeners(failed);
      req.resume();
    };
    const tooLarge = () => {
      dropRest();
      reject(new DomainError('payload-too-large', { detail: `The body may have at most ${limit} bytes.` }));
    };
    if (Number(req.headers['content-length'] ?? 0) > limit) {
      tooLarge();
      return;
    }
    if ((req.headers['content-encoding'] ?? 'identity') !== 'identity') {
      req.resume();
      reject(
        new DomainError('unsupported-media-type', { detail: 'Send the body without Content-Encoding.' }),
      );
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) tooLarge();
      else chunks.push(chunk);
    });
    req.on('end', () => {
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    req.on(failed, (error: DomainError) => {
      dropRest();
      reject(error);
    });
    req.on('error', () => {
      reject(new DomainError('malformed', { detail: 'The request ended before its body did.' }));
    });
  });
