import type { IncomingMessage, ServerResponse } from 'node:http';

/** Whether a caller with these `Origin` and `Host` headers is allowed. Apps and scripts that send no `Origin` are. */
export type OriginPolicy = (origin: string | undefined, host: string | undefined) => boolean;

interface WebAddress {
  readonly secure: boolean;
  /** In lower case; IPv6 in brackets and in its shortest form. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Allows `CORS_ORIGINS`, the origin of `PUBLIC_URL`, and the origin that the request's own `Host` names.
 *
 * Clients of WebSockets send `ws:` for `http:` and `wss:` for `https:` (Swift), so each pair is one scheme; a default
 * port equals none, in `Origin` and in `Host`. Behind a TLS proxy the request is plain HTTP, so `Host` cannot say which
 * scheme is right. Where `PUBLIC_URL` is https and `Host` names its host, only that scheme and port are the server's own.
 */
export const createOriginPolicy = (allowed: readonly string[], publicUrl: string): OriginPolicy => {
  const own = addressOf(new URL(publicUrl).origin);
  const origins = new Set([...allowed.map(addressOf), own].flatMap((known) => (known ? [keyOf(known)] : [])));
  return (origin, host) => {
    if (origin === undefined) return true;
    const given = addressOf(origin);
    if (!given) return false;
    if (origins.has(keyOf(given))) return true;
    if (host === undefined) return false;
    const requested = addressOf(`${given.secure ? 'https' : 'http'}://${host}`);
    if (!requested || keyOf(requested) !== keyOf(given)) return false;
    return !(own?.secure && own.hostname === requested.hostname);
  };
};

/** A scheme, a host and perhaps a port: no path, user or anything else. */
const originForm = /^(?:http|ws)(s?):\/\/((?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{0,5})?)$/;

/** Undefined where the text is no origin; `null` is none. */
const addressOf = (origin: string): WebAddress | undefined => {
  const [, s, authority] = originForm.exec(origin.toLowerCase()) ?? [];
  if (s === undefined || authority === undefined) return undefined;
  const address = `http${s}://${authority}`;
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  const secure = s === 's';
  // A name with the dot of the root is the same host.
  const hostname = url.hostname.replace(/\.$/, '');
  return { secure, hostname, port: url.port === '' ? (secure ? 443 : 80) : Number(url.port) };
};

const keyOf = ({ secure, hostname, port }: WebAddress) => `${secure ? 's' : '-'} ${hostname} ${port}`;

const exposed = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate';

/**
 * Lets pages of the allowed origins read answers (CORS). `answered`: a preflight that needs nothing more. `refused`: a
 * preflight of another origin, which the caller answers without allowing anything.
 * Tokens travel in a header that pages set themselves and never in cookies, so credentials are not allowed.
 */
export const answerCors = (
  req: IncomingMessage,
  res: ServerResponse,
  isOriginAllowed: OriginPolicy,
): 'continue' | 'answered' | 'refused' => {
  const { origin, host } = req.headers;
  if (origin === undefined) return 'continue';
  res.setHeader('Vary', 'Origin');
  const isPreflight = req.method === 'OPTIONS' && 'access-control-request-method' in req.headers;
  const isAllowed = isOriginAllowed(origin, host);
  if (isAllowed) {
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Expose-Headers', exposed);
    if (isPreflight) {
      res.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE');
      res.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-App-Build');
      res.setHeader('Access-Control-Max-Age', '600');
    }
  }
  if (!isPreflight) return 'continue';
  if (!isAllowed) return 'refused';
  res.statusCode = 204;
  res.end();
  return 'answered';
};
