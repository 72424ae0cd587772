import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { DomainError } from './errors.ts';
import { newUuid } from '../ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import { problemHeaders, problemOf, toDomainError } from './problem.ts';

/** Names the request in its answer, in its problem and in the log. Called once, before anything can answer. */
export const assignRequestId = (res: ServerResponse): string => {
  const requestId = newUuid();
  res.setHeader('X-Request-Id', requestId);
  return requestId;
};

/** The id that `assignRequestId` gave. */
export const requestIdOf = (res: ServerResponse): string => String(res.getHeader('X-Request-Id'));

export const sendJson = (res: ServerResponse, status: number, body: unknown): void => {
  res.statusCode = status;
  if (body === undefined) {
    res.end();
    return;
  }
  const json = JSON.stringify(body);
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(json));
  res.end(json);
};

/** Answers with problem+json; logs what only the operator can repair. */
export const sendProblem = (res: ServerResponse, thrown: unknown, log: Logger): void => {
  const error = toDomainError(thrown);
  if (error.code === 'internal')
    log.error({ event: 'http.request_failed', err: error.cause }, 'request failed');
  else if (error.details.cause !== undefined)
    log.warn(
      { event: 'http.request_refused', err: error.details.cause, code: error.code },
      'request refused',
    );
  if (res.headersSent || res.destroyed) return;
  const problem = problemOf(error, requestIdOf(res));
  const json = JSON.stringify(problem);
  res.statusCode = problem.status;
  for (const [name, value] of Object.entries(problemHeaders(error))) res.setHeader(name, value);
  res.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(json));
  res.end(json);
};

/**
 * A problem as a whole HTTP/1.1 message, for connections on which Node has made no `ServerResponse`: requests that do
 * not parse, `CONNECT`, refused upgrades. The connection closes after it.
 */
export const problemMessage = (
  error: DomainError,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): string => {
  const problem = problemOf(error, requestId);
  const json = JSON.stringify(problem);
  const lines = Object.entries({
    'X-Request-Id': requestId,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none';frame-ancestors 'none'",
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(json)),
    Connection: 'close',
    ...problemHeaders(error),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${lines.join('')}\r\n${json}`;
};
