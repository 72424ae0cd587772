import type {
  ClientToServerEvents,
  ServerEvent,
  ServerEventName,
  ServerToClientEvents,
} from '@pufftrack/contract';
import type { Server, Socket } from 'socket.io';
import type { Actor } from '../edge/actor.ts';

export interface SocketData {
  /** Replaced by each `authenticate`; the person and the session stay the same. */
  actor: Actor;
  /** Whether `tokenExpiring` was sent for this token. */
  warned: boolean;
  /** Calls beyond a limit so far; the third one ends the socket. */
  strikes: number;
}

type NoEvents = Record<string, never>;
export type AppSocket = Socket<ClientToServerEvents, ServerToClientEvents, NoEvents, SocketData>;
export type AppSocketServer = Server<ClientToServerEvents, ServerToClientEvents, NoEvents, SocketData>;

// Typed by the event maps at the call; Socket.IO's own types cannot follow a generic name.
export const emitTo = <Name extends ServerEventName>(
  target: { emit: (...args: never[]) => unknown },
  event: Name,
  payload: ServerEvent<Name>,
) => {
  (target.emit as (event: string, payload: unknown) => unknown)(event, payload);
};
