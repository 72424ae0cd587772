import type { EventEmitter } from 'node:events';
import type { Socket as EngineSocket } from 'engine.io';
import type { WebSocket } from 'ws';
import { DomainError } from '../edge/errors.ts';
import { problemOf } from '../edge/problem.ts';
import { packetKindOf, type PacketKind } from './packet-kind.ts';

/** Raw bytes of a connection before its sign-in; a CONNECT packet with a token has less than 2 KB. */
const maxAnonymousBytes = 16 * 1024;
/** WebSocket frames before the sign-in: one CONNECT packet, and a few pings. */
const maxAnonymousFrames = 10;
/** What may still arrive after the server began to close, before it stops to wait for the client. */
const maxLateFrames = 50;
const maxLateBytes = 128 * 1024;
/** ms from the upgrade to the CONNECT packet (WS-1). */
export const connectPacketMs = 5_000;
/** ms from the end of the time for a sign-in to the close: for the refusal, which Socket.IO sends in its orderly way. */
const refusalMs = 1_000;
/**
 * The WebSocket gets what has arrived in pieces of this size, and nothing once the connection is cut: 64 KB can hold
 * 10,000 tiny frames, and it would go through all of them.
 */
const pieceBytes = 2 * 1024;
/** ms that a client has to answer the closing handshake. */
const closeWithinMs = 3_000;

/** What a client sent that closed its connection. */
export type Violation =
  'binary' | 'unexpected-packet' | 'other-namespace' | 'too-much-before-sign-in' | 'too-much' | 'no-sign-in';

const sentences: Readonly<Record<Violation, string>> = {
  binary: 'Binary frames are refused; send JSON text.',
  'unexpected-packet': 'This packet is not expected here.',
  'other-namespace': 'Only the namespace / exists.',
  'too-much-before-sign-in': 'Too much was sent before the sign-in.',
  'too-much': 'Too much was sent within a minute.',
  'no-sign-in': 'The connection did not sign in in time.',
};

const noSuchNamespace = () => new DomainError('not-found', { detail: 'No such namespace. Connect to `/`.' });

/** What the `connect_error` of a client carries. */
export const connectErrorOf = (error: DomainError, requestId: string) => ({
  message: error.message,
  data: problemOf(error, requestId),
});

export interface ConnectionGuard {
  /** The token was accepted: from now on `spend` bounds what is sent. It gets the raw bytes of each frame. */
  signedIn(spend: (bytes: number) => boolean): void;
}

export interface GuardedConnection {
  readonly conn: Pick<EngineSocket, 'request' | 'on' | 'write' | 'close'>;
  readonly ws: WebSocket;
  /** Of the upgrade. */
  readonly requestId: string;
  readonly onViolation: (violation: Violation) => void;
  /** ms that the server may take from the CONNECT packet to the outcome of the sign-in. */
  readonly admissionMs: number;
  /** ms from the upgrade to the CONNECT packet. */
  readonly connectPacketMs: number;
}

/**
 * Stands between the WebSocket and Engine.IO, and checks each frame by its size and first bytes before anything decodes
 * it. One CONNECT packet of the namespace `/` is accepted, and events after the sign-in; anything else
 * closes the connection. So an unknown client costs at most `maxAnonymousBytes` and one verified token.
 */
export const guardConnection = ({
  conn,
  ws,
  requestId,
  onViolation,
  admissionMs,
  connectPacketMs: packetMs,
}: GuardedConnection): ConnectionGuard => {
  const raw = conn.request.socket;
  let bytesSeen = raw.bytesRead;
  let anonymousBytes = 0;
  let frames = 0;
  let lateFrames = 0;
  let lateBytes = 0;
  let state: 'anonymous' | 'connecting' | 'signed-in' | 'closing' = 'anonymous';
  let spend: (bytes: number) => boolean = () => true;

  const closing = () => {
    state = 'closing';
    const timer = setTimeout(() => {
      ws.terminate();
    }, closeWithinMs).unref();
    raw.once('close', () => {
      clearTimeout(timer);
    });
  };
  const violated = (violation: Violation) => {
    onViolation(violation);
    closing();
    ws.close(violation === 'binary' ? 1003 : 1008, sentences[violation]);
  };

  /** False where the frame, or what came of one, is more than the connection may send. */
  const count = (): boolean => {
    const bytes = raw.bytesRead - bytesSeen;
    bytesSeen = raw.bytesRead;
    if (state === 'closing') {
      lateFrames += 1;
      if (lateFrames > maxLateFrames) ws.terminate();
      return false;
    }
    frames += 1;
    if (state === 'signed-in') {
      if (spend(bytes)) return true;
      violated('too-much');
      return false;
    }
    anonymousBytes += bytes;
    if (frames <= maxAnonymousFrames && anonymousBytes <= maxAnonymousBytes) return true;
    violated('too-much-before-sign-in');
    return false;
  };

  /** A message that never ends is no frame yet, and all of it is kept. */
  const limitUnfinished = () => {
    if (state === 'closing' || state === 'signed-in') return;
    const bytes = anonymousBytes + raw.bytesRead - bytesSeen;
    if (bytes <= maxAnonymousBytes) return;
    violated('too-much-before-sign-in');
    ws.terminate();
  };

  const isExpected = (kind: PacketKind): boolean => {
    if (kind === 'pong') return true;
    if (state === 'signed-in') return kind === 'event' || kind === 'disconnect';
    if (state !== 'anonymous' || kind !== 'connect') return false;
    state = 'connecting';
    closeAfter(admissionMs + refusalMs);
    return true;
  };

  const accepts = (data: Buffer, isBinary: boolean): boolean => {
    if (!count()) return false;
    if (isBinary) {
      violated('binary');
      return false;
    }
    const kind = packetKindOf(data);
    if (isExpected(kind)) return true;
    if (kind === 'other-namespace' && state !== 'signed-in') refuseNamespace(data);
    violated(kind === 'other-namespace' ? kind : 'unexpected-packet');
    return false;
  };

  const refuseNamespace = (data: Buffer) => {
    const [, namespace] = /^40(\/[\w/-]{1,64})(?:[,?]|$)/.exec(data.toString('latin1', 0, 80)) ?? [];
    if (namespace !== undefined)
      conn.write(`4${namespace},${JSON.stringify(connectErrorOf(noSuchNamespace(), requestId))}`);
  };

  let deadline: NodeJS.Timeout | undefined;
  /** The only deadline of a connection before its sign-in. */
  const closeAfter = (ms: number) => {
    clearTimeout(deadline);
    deadline = setTimeout(() => {
      if (state !== 'closing') violated('no-sign-in');
    }, ms).unref();
  };
  closeAfter(packetMs);
  raw.once('close', () => {
    clearTimeout(deadline);
  });

  takeOver<[Buffer, boolean]>(ws, 'message', (deliver) => (data, isBinary) => {
    if (accepts(data, isBinary)) deliver(data, isBinary);
  });
  takeOver<[Buffer]>(raw, 'data', (deliver) => (chunk) => {
    // The client may have sent its close frame too: what comes after that is no frame any more.
    if (state === 'closing' || ws.readyState !== ws.OPEN) lateBytes += chunk.length;
    if (lateBytes > maxLateBytes) ws.terminate();
    for (let start = 0; start < chunk.length && !raw.destroyed; start += pieceBytes)
      deliver(chunk.length <= pieceBytes ? chunk : chunk.subarray(start, start + pieceBytes));
    limitUnfinished();
  });
  // `ws` itself answers pings before anything can count them.
  ws.on('ping', (data: Buffer) => {
    if (count()) ws.pong(data);
  });
  ws.on('pong', count);
  conn.on('close', () => {
    if (state !== 'closing') closing();
  });

  return {
    signedIn(spendFrame) {
      if (state !== 'connecting') return;
      state = 'signed-in';
      spend = spendFrame;
      clearTimeout(deadline);
    },
  };
};

/** Puts `listen` in the place of the listeners that an event has; `deliver` calls those. */
const takeOver = <Args extends unknown[]>(
  emitter: EventEmitter,
  event: string,
  listen: (deliver: (...args: Args) => void) => (...args: Args) => void,
) => {
  const listeners = emitter.listeners(event);
  emitter.removeAllListeners(event);
  const deliver = (...args: Args) => {
    for (const listener of listeners) Reflect.apply(listener, emitter, args);
  };
  emitter.on(event, listen(deliver) as (...args: unknown[]) => void);
};
