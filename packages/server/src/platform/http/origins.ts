import type { IncomingMessage, ServerResponse } from 'node:http';

/** Whether a page of this origin may talk to the server. Apps and scripts send none, and need no leave. */
export type MayCall = (origin: string | undefined, host: string | undefined) => boolean;

/** The origins of `CORS_ORIGINS`, and pages that this server has sent itself. */
export const originRule = (allowed: readonly string[]): MayCall => {
  const origins = new Set(allowed.map((origin) => origin.toLowerCase()));
  return (origin, host) => {
    if (origin === undefined) return true;
    const given = origin.toLowerCase();
    return origins.has(given) || (host !== undefined && hostOf(given) === host.toLowerCase());
  };
};

const hostOf = (origin: string): string | undefined => /^https?:\/\/([^/]+)$/.exec(origin)?.[1];

const exposed = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate';

/**
 * Lets pages of the allowed origins read answers (CORS). True where the request was a preflight and is answered.
 * Tokens travel in a header that pages set themselves and never in cookies, so credentials are not allowed.
 */
export const answerCors = (req: IncomingMessage, res: ServerResponse, mayCall: MayCall): boolean => {
  const { origin, host } = req.headers;
  if (origin === undefined) return false;
  res.setHeader('Vary', 'Origin');
  const isPreflight = req.method === 'OPTIONS' && 'access-control-request-method' in req.headers;
  if (mayCall(origin, host)) {
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Expose-Headers', exposed);
    if (isPreflight) {
      res.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE');
      res.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-App-Build');
      res.setHeader('Access-Control-Max-Age', '600');
    }
  }
  if (!isPreflight) return false;
  res.statusCode = 204;
  res.end();
  return true;
};
