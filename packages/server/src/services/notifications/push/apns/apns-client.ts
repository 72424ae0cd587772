import { createCircuitBreaker, UnavailableError } from '../../../../platform/concurrency/circuit-breaker.ts';
import type { Clock } from '../../../../platform/clock.ts';
import { createApnsConnection, type ApnsConnection } from './apns-connection.ts';
import { apnsOutcome, type ApnsOutcome } from './apns-outcome.ts';
import { createProviderTokens, type ApnsKey } from './apns-provider-token.ts';

export type ApnsEnvironment = 'sandbox' | 'production';

export interface ApnsConfig extends ApnsKey {
  /** The bundle id of the app. */
  readonly topic: string;
  /** A simulator in place of Apple's two hosts. */
  readonly baseUrl: string | undefined;
  /** PEM; trusted in place of the system's authorities. */
  readonly ca: string | undefined;
}

export interface ApnsPush {
  /** A UUID; the same one for every attempt. */
  readonly id: string;
  readonly deviceToken: string;
  readonly environment: ApnsEnvironment;
  readonly payload: string;
  /** A device shows the newest push of each; at most 64 bytes. */
  readonly collapseId: string;
  /** ms; APNs drops an undelivered push then. */
  readonly expiresAt: number;
}

export interface ApnsClient {
  send(push: ApnsPush): Promise<ApnsOutcome>;
  close(): void;
}

const hosts: Readonly<Record<ApnsEnvironment, string>> = {
  production: 'https://api.push.apple.com',
  sandbox: 'https://api.sandbox.push.apple.com',
};

/** Apple's push service over HTTP/2: one connection for each environment, opened with its first push. */
export const createApnsClient = (config: ApnsConfig, clock: Clock): ApnsClient => {
  const tokens = createProviderTokens(config, clock);
  const connections = new Map<ApnsEnvironment, ApnsConnection>();
  const breakers = {
    production: createCircuitBreaker({ name: 'APNs', clock, failures: 5, openMs: 10_000, maxInFlight: 500 }),
    sandbox: createCircuitBreaker({
      name: 'APNs sandbox',
      clock,
      failures: 5,
      openMs: 10_000,
      maxInFlight: 500,
    }),
  };

  const connectionTo = (environment: ApnsEnvironment): ApnsConnection => {
    let connection = connections.get(environment);
    if (!connection) {
      connection = createApnsConnection({ baseUrl: config.baseUrl ?? hosts[environment], ca: config.ca });
      connections.set(environment, connection);
    }
    return connection;
  };

  const attempt = async (push: ApnsPush, token: Promise<string>): Promise<ApnsOutcome> => {
    const headers = {
      authorization: `bearer ${await token}`,
      'apns-id': push.id,
      'apns-topic': config.topic,
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-expiration': String(Math.floor(push.expiresAt / 1000)),
      'apns-collapse-id': push.collapseId,
      'content-type': 'application/json',
    };
    try {
      return apnsOutcome(
        await breakers[push.environment].run(() =>
          connectionTo(push.environment).post({
            path: `/3/device/${push.deviceToken}`,
            headers,
            body: push.payload,
          }),
        ),
      );
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      return { kind: 'retry', reason: error.message };
    }
  };

  return {
    async send(push) {
      const token = tokens.current();
      const outcome = await attempt(push, token);
      if (outcome.kind === 'too-many-tokens') tokens.hold();
      if (outcome.kind !== 'token-expired') return outcome;
      // A recent token that has expired means that the local clock is wrong; a new one would be rejected too.
      if (!tokens.renew(token)) return { kind: 'halt', reason: 'ExpiredProviderToken for a new token' };
      const second = await attempt(push, tokens.current());
      return second.kind === 'token-expired'
        ? { kind: 'halt', reason: 'ExpiredProviderToken twice' }
        : second;
    },
    close() {
      for (const connection of connections.values()) connection.close();
    },
  };
};
