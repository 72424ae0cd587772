import { createHash } from 'node:crypto';
import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/**
 * Names whose values are never printed, at any depth: secrets, and what is known of a person (LOG-1). Names
 * that only end so (`refreshToken`, `deviceToken`, `friendName`) are meant too.
 */
const secret =
  /^(authorization|cookie|set-cookie|password|nonce|body|payload|trigger|timestamp|identity|sub|device|deviceId|headers|url|query)$|token$|secret$|code$|key$|email$|name$/i;
/** Names that end like a secret and are none: problem codes, event names and the like. */
const harmless = new Set(['code', 'collectionName', 'codeName']);
const maxDepth = 6;

/** What the log may say of a value. */
const printable = (value: unknown, depth: number): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) return '[deep]';
  if (value instanceof Error) return printableError(value);
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => printable(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'userId' && typeof inner === 'string') copy['userRef'] = refOf(inner);
    else copy[key] = secret.test(key) && !harmless.has(key) ? '[redacted]' : printable(inner, depth + 1);
  }
  return copy;
};

/**
 * A name for a person in the log alone: who has the database can find them, who has the log cannot. Ids hold 130 bits
 * of chance, so the hash needs no key.
 */
export const refOf = (userId: string): string =>
  createHash('sha256').update(`log:${userId}`).digest('hex').slice(0, 16);

/** Type, message, stack and cause. Nothing else: errors of the driver carry the documents that they are about. */
const printableError = (error: Error): object => {
  const { type, message, stack } = stdSerializers.err(error);
  const code: unknown = (error as { code?: unknown }).code;
  return {
    type,
    message: scrub(message),
    stack: scrub(stack),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
  };
};

/** A duplicate key quotes the key, which holds ids; and nothing that looks like a token is worth its place. */
const scrub = (text: string): string =>
  text.replaceAll(/dup key: \{.*?\}(?=\s|$|:)/gs, 'dup key: {…}').replaceAll(/(eyJ|ptr_)[\w.-]+/g, '$1…');

/** JSON lines in UTC, on stdout; the server gives a `LogOutput`, which bounds what waits for a slow reader. */
export const createLogger = (options: { level: string; destination?: DestinationStream }): Logger =>
  pino(
    {
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      base: null,
      serializers: { err: (error: unknown) => error },
      formatters: { log: (fields) => printable(fields, 0) as Record<string, unknown> },
    },
    options.destination ?? process.stdout,
  );
