import type { ProblemCode } from '@pufftrack/contract';

export interface DomainErrorDetails {
  /** One sentence for the developer of the client: what is wrong and what would be right. */
  detail?: string;
  errors?: { path: string; message: string }[];
  purposes?: readonly string[];
  /** ISO instant; with `timestamp-in-future`. */
  serverTime?: string;
  /** How many entries a history may have; with `limit-reached`. */
  limit?: number;
  /** Whole seconds until a retry makes sense; sent as `Retry-After`. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** What services throw: a code of the contract's closed list. One file maps it into HTTP (platform/edge/problem.ts). */
export class DomainError extends Error {
  readonly code: ProblemCode;
  readonly details: DomainErrorDetails;

  constructor(code: ProblemCode, details: DomainErrorDetails = {}) {
    super(details.detail ?? code, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'DomainError';
    this.code = code;
    this.details = details;
  }
}
