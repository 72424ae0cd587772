import type { EndpointSpec } from '@pufftrack/contract';
import { foreignAnswerError, isProblem, networkError, problemError } from './api-error.ts';
import { buildRequest, type LooseRequest } from './request.ts';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** One HTTP exchange, without any token handling. Throws ApiError for everything but a declared answer. */
export type Exchange = (spec: EndpointSpec, request: LooseRequest, headers: Headers) => Promise<WireAnswer>;

/** `Retry-After` is seconds or an HTTP date (RFC 9110, 10.2.3). */
export const parseRetryAfter = (value: string | null, now: number): number | undefined => {
  if (value === null) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
};

/** The server keeps a body open as long as 1 KB arrives each second, and 5 minutes at most. */
const uploadBytesPerMs = 1.024;
const maxUploadMs = 300_000;

/** Timeout (ms) of one attempt: the upload at the slowest rate that the server accepts, plus `waitMs`. */
export const attemptTimeoutMs = (waitMs: number, body: string | undefined): number => {
  const bytes = body === undefined ? 0 : new TextEncoder().encode(body).length;
  return waitMs + Math.min(maxUploadMs, Math.ceil(bytes / uploadBytesPerMs));
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

export const createTransport = (options: {
  baseUrl: string;
  fetch: typeof fetch;
  now: () => number;
  timeoutMs: number;
}): Exchange => {
  const base = options.baseUrl.replace(/\/+$/, '');

  return async (spec, request, headers) => {
    const { method, path, body } = buildRequest(spec, request);
    if (body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
    if (!headers.has('accept')) headers.set('accept', 'application/json, application/problem+json');

    let response: Response;
    let text: string;
    try {
      // The signal covers the body too, so that a stalled connection does not block a flush.
      const signal = AbortSignal.timeout(attemptTimeoutMs(options.timeoutMs, body));
      response = await options.fetch(base + path, {
        method,
        headers,
        signal,
        ...(body === undefined ? {} : { body }),
      });
      text = await response.text();
    } catch (error) {
      throw networkError(`No answer to ${method} ${spec.path}`, error);
    }

    const { status } = response;
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), options.now());
    const answer = text === '' ? undefined : parseJson(text);
    const declared = spec.responses[status];
    // Health checks declare a 503: a declared status is a result unless its body is a problem.
    const isAnswer = declared !== undefined || response.ok;
    if (isProblem(answer) && !response.ok) throw problemError(answer, retryAfterMs);
    if (!isAnswer) throw foreignAnswerError(status, retryAfterMs);
    if (declared === null) return { status, headers: response.headers, body: undefined };
    // A captive portal answers 200 with its own page.
    if (answer === undefined) throw foreignAnswerError(status, retryAfterMs);
    return { status, headers: response.headers, body: answer };
  };
};
