import type { IncomingMessage, Server } from 'node:http';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Warns once if a call carries `X-Forwarded-For` although no proxy is trusted: then all clients behind that proxy share
 * the limits of its address. Call it when the server has all its listeners.
 */
export const warnOfUntrustedProxy = (server: Server, deps: { trustedHops: number; log: Logger }): void => {
  if (deps.trustedHops > 0) return;
  // Without another listener, one for `upgrade` would keep such connections open and unanswered.
  const events = ['request', 'upgrade'].filter((event) => server.listenerCount(event) > 0);
  const check = ({ headers }: IncomingMessage) => {
    if (headers['x-forwarded-for'] === undefined) return;
    for (const event of events) server.off(event, check);
    deps.log.warn(
      { event: 'http.untrusted_proxy' },
      'X-Forwarded-For ignored: TRUST_PROXY is 0; set it to the number of proxies, or clients share their limits',
    );
  };
  for (const event of events) server.on(event, check);
};
