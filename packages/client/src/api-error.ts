import type { Problem, ProblemCode } from '@pufftrack/contract';

/** A failed call: rejected by the server with a problem, or without a usable response (`network`). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 if no response arrived. */
  readonly status: number;
  readonly code: ProblemCode | 'network';
  readonly problem: Problem | undefined;
  declare readonly retryAfterMs?: number;

  constructor(fields: {
    status: number;
    code: ProblemCode | 'network';
    message: string;
    problem?: Problem | undefined;
    retryAfterMs?: number | undefined;
    cause?: unknown;
  }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.status = fields.status;
    this.code = fields.code;
    this.problem = fields.problem;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
  }
}

export const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  typeof value.code === 'string' &&
  'status' in value &&
  typeof value.status === 'number';

export const problemError = (problem: Problem, retryAfterMs?: number): ApiError =>
  new ApiError({
    status: problem.status,
    code: problem.code,
    message: `${problem.code}: ${problem.detail}`,
    problem,
    retryAfterMs,
  });

export const networkError = (message: string, cause?: unknown): ApiError =>
  new ApiError({ status: 0, code: 'network', message, cause });

/** Problem codes for the statuses of a proxy, which sends no problem body. */
const proxyCodes: Readonly<Record<number, ProblemCode>> = {
  413: 'payload-too-large',
  429: 'rate-limited',
  503: 'overloaded',
};

/** A response that this API did not send: a gateway's error page, a captive portal's 200, a truncated body. */
export const foreignAnswerError = (status: number, retryAfterMs?: number): ApiError =>
  new ApiError({
    status,
    code: proxyCodes[status] ?? 'network',
    message: `The answer (status ${status}) is not one of this API`,
    retryAfterMs,
  });

/** The server is unreachable or busy; the same call may succeed later. */
export const isTemporary = (error: unknown): error is ApiError =>
  error instanceof ApiError && (error.code === 'network' || error.status >= 500 || error.status === 429);
