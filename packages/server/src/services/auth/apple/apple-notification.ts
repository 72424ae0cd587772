import { errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import { DomainError } from '../../../platform/edge/errors.ts';
import type { AppleKeys } from './apple-keys.ts';
import { keyIdOf } from '../keys/token-header.ts';

const skewSeconds = 60;
/**
 * Older ones are rejected. Ids are kept for 7 days, which covers Apple's duplicates; a later duplicate has no effect,
 * because an event before the last sign-in is obsolete.
 */
const maxAgeSeconds = 30 * 24 * 60 * 60;

const Event = z.looseObject({
  type: z.string().min(1).max(64),
  sub: z.string().min(1).max(255),
  event_time: z.union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,16}$/)
      .transform(Number),
  ]),
});
const Claims = z.object({ jti: z.string().min(1).max(255), iat: z.number(), events: z.unknown() });

/** A change of an Apple account. */
export interface AppleEvent {
  /** The notification's `jti`, with an index appended if a notification holds several events. */
  readonly id: string;
  readonly type: string;
  readonly sub: string;
  /** ms. */
  readonly at: number;
}

/** Throws `malformed` unless Apple signed it, and `apple-unavailable` if the key is unknown and Apple unreachable. */
export type ReadNotification = (payload: string) => Promise<AppleEvent[]>;

/** Verifies a server-to-server notification like an identity token (SIWA-10). */
export const notificationReader = (deps: {
  keys: AppleKeys;
  clock: Clock;
  issuers: readonly string[];
  clientIds: readonly string[];
}): ReadNotification => {
  const { keys, clock } = deps;
  return async (payload) => {
    try {
      const verified = await jwtVerify(
        payload,
        async (header) => {
          const kid = keyIdOf(header);
          const key = kid === undefined ? undefined : await keys.find(kid);
          if (!key) throw refused();
          return key;
        },
        {
          algorithms: ['RS256'],
          issuer: [...deps.issuers],
          audience: [...deps.clientIds],
          requiredClaims: ['iat', 'jti', 'events'],
          clockTolerance: skewSeconds,
          currentDate: new Date(clock.now()),
        },
      );
      const { jti, iat, events } = Claims.parse(verified.payload);
      const age = clock.now() / 1000 - iat;
      if (age < -skewSeconds || age > maxAgeSeconds) throw refused();
      const list = listOf(events);
      return list.map(({ type, sub, event_time }, index) => ({
        id: list.length === 1 ? jti : `${jti} ${index}`,
        type,
        sub,
        at: event_time,
      }));
    } catch (error) {
      // The error is not the cause: jose's errors carry the payload, and causes are logged.
      if (error instanceof errors.JOSEError || error instanceof z.ZodError || error instanceof SyntaxError)
        throw refused();
      throw error;
    }
  };
};

/** Apple sends JSON in a string; objects and arrays occur too. */
const listOf = (events: unknown) => {
  const value: unknown = typeof events === 'string' ? JSON.parse(events) : events;
  return z
    .array(Event)
    .min(1)
    .max(20)
    .parse(Array.isArray(value) ? value : [value]);
};

const refused = () =>
  new DomainError('malformed', { detail: 'The payload is not a notification signed by Apple.' });
