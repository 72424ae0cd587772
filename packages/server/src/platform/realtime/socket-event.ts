import type { ClientToServerEvents } from '@pufftrack/contract';
import type { Actor } from '../edge/actor.ts';
import type { Logger } from '../telemetry/logger.ts';

/** An event that clients send. The payload is a JSON object without forbidden keys; its schema is the handler's. */
export interface SocketEvent {
  readonly name: keyof ClientToServerEvents;
  readonly handle: (call: SocketCall) => Promise<object>;
}

export interface SocketCall {
  readonly actor: Actor;
  readonly payload: object;
  readonly log: Logger;
}

/** What the handler answers is the ack; what it throws becomes `{error: Problem}`. */
export const socketEvent = (name: SocketEvent['name'], handle: SocketEvent['handle']): SocketEvent => ({
  name,
  handle,
});
