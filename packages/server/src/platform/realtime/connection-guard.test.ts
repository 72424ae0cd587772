import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { guardConnection, type ConnectionGuard, type Violation } from './connection-guard.ts';

/** A WebSocket on which nothing is ever written or answered. */
class StalledWebSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  terminated = 0;
  closeCodes: number[] = [];
  pongs: string[] = [];
  terminate() {
    this.terminated += 1;
    raw.destroyed = true;
  }
  pong(data: Buffer) {
    this.pongs.push(data.toString());
  }
  close(code: number) {
    this.closeCodes.push(code);
  }
}

let ws: StalledWebSocket;
let raw: EventEmitter & { bytesRead: number; destroyed: boolean };
/** What the WebSocket got of the bytes on the wire. */
let pieces: string[];
let onPiece: () => void;
let conn: EventEmitter;
let delivered: string[];
let violations: Violation[];
let guard: ConnectionGuard;

beforeEach(() => {
  jest.useFakeTimers();
  ws = new StalledWebSocket();
  raw = Object.assign(new EventEmitter(), { bytesRead: 500, destroyed: false });
  pieces = [];
  onPiece = () => undefined;
  raw.on('data', (piece: Buffer) => {
    pieces.push(piece.toString());
    onPiece();
  });
  conn = Object.assign(new EventEmitter(), { request: { socket: raw } });
  delivered = [];
  violations = [];
  ws.on('message', (data: Buffer) => delivered.push(data.toString()));
  guard = guardConnection({
    conn: conn as never,
    ws: ws as never,
    requestId: 'one',
    onViolation: (violation) => violations.push(violation),
    admissionMs: 15_000,
    connectPacketMs: 5_000,
  });
});
afterEach(() => {
  jest.useRealTimers();
});

const receive = (text: string, bytes = text.length) => {
  raw.bytesRead += bytes;
  ws.emit('message', Buffer.from(text), false);
};

describe('a connection that does not sign in', () => {
  const expectCloseAfter = (ms: number) => {
    jest.advanceTimersByTime(ms - 1);
    expect(ws.closeCodes).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(ws.closeCodes).toEqual([1008]);
    expect(violations).toEqual(['no-sign-in']);
    // This client never answers the close frame.
    jest.advanceTimersByTime(2_999);
    expect(ws.terminated).toBe(0);
    jest.advanceTimersByTime(1);
    expect(ws.terminated).toBe(1);
  };

  it('and sends nothing is closed after 5 s, and cut 3 s later', () => {
    expectCloseAfter(5_000);
  });

  it('has the time of a request for its sign-in, however late it sends its token, and is closed 1 s after that', () => {
    jest.advanceTimersByTime(4_000);
    receive('40{"token":"x"}');
    expectCloseAfter(16_000);
  });
});

it('a connection that signed in stays', () => {
  receive('40{"token":"x"}');
  guard.signedIn(() => true);
  jest.advanceTimersByTime(60_000);
  receive('42["puff",{}]');
  expect(ws.terminated).toBe(0);
  expect(delivered).toEqual(['40{"token":"x"}', '42["puff",{}]']);
});

describe('a connection that is being closed', () => {
  beforeEach(() => {
    receive('40{"token":"x"}');
    guard.signedIn(() => true);
  });

  it('delivers nothing more, is closed once, and is cut after 3 s', () => {
    for (let sent = 0; sent < 10; sent++) receive('451-["puff",{}]');
    receive('42["puff",{}]');
    expect(violations).toEqual(['unexpected-packet']);
    expect(ws.closeCodes).toEqual([1008]);
    expect(delivered).toHaveLength(1);
    jest.advanceTimersByTime(3_000);
    expect(ws.terminated).toBe(1);
  });

  it('is cut at once for many frames after that', () => {
    conn.emit('close');
    for (let sent = 0; sent < 50; sent++) receive('3');
    expect(ws.terminated).toBe(0);
    receive('3');
    expect(ws.terminated).toBe(1);
  });

  it.each([
    ['the server closes', () => conn.emit('close')],
    // The WebSocket answers a close frame by itself, and takes what follows for no frames.
    ['the client closes', () => (ws.readyState = 2)],
  ])('is cut at once for many bytes after %s', (_what, close) => {
    close();
    for (let sent = 0; sent < 2; sent++) raw.emit('data', Buffer.alloc(65_536));
    expect(ws.terminated).toBe(0);
    raw.emit('data', Buffer.alloc(1));
    expect(ws.terminated).toBe(1);
  });
});

it('each frame counts with its bytes on the wire', () => {
  const spent: number[] = [];
  receive('40{"token":"x"}');
  guard.signedIn((bytes) => {
    spent.push(bytes);
    return spent.length < 3;
  });
  receive('3', 7);
  receive('42["puff",{}]', 40_000);
  expect(violations).toEqual([]);
  raw.bytesRead += 6;
  ws.emit('ping', Buffer.from('p'));
  expect(spent).toEqual([7, 40_000, 6]);
  expect(violations).toEqual(['too-much']);
});

it('pings are answered as long as they are within the bound', () => {
  for (let sent = 0; sent < 10_000; sent++) ws.emit('ping', Buffer.from('p'));
  expect(ws.pongs).toHaveLength(10);
  expect(violations).toEqual(['too-much-before-sign-in']);
});

describe('bytes on the wire', () => {
  const arrive = (bytes: number) => {
    raw.bytesRead += bytes;
    raw.emit('data', Buffer.alloc(bytes, 'x'));
  };

  it('reach the WebSocket whole and in order', () => {
    receive('40{"token":"x"}');
    guard.signedIn(() => true);
    for (const bytes of [1, 2_048, 2_049, 65_536]) arrive(bytes);
    expect(pieces.join('')).toBe('x'.repeat(1 + 2_048 + 2_049 + 65_536));
    expect(Math.max(...pieces.map(({ length }) => length))).toBe(2_048);
  });

  it('do not reach it once the connection is cut, in the midst of a chunk too', () => {
    onPiece = () => {
      for (let frame = 0; frame < 300; frame++) ws.emit('message', Buffer.from('3'), false);
    };
    arrive(65_536);
    expect(pieces).toHaveLength(1);
    expect(ws.terminated).toBeGreaterThan(0);
    arrive(65_536);
    expect(pieces).toHaveLength(1);
  });

  it('of a message that never ends cut the connection at 16 KB', () => {
    for (let sent = 0; sent < 16; sent++) arrive(1_024);
    expect(violations).toEqual([]);
    arrive(1);
    expect(violations).toEqual(['too-much-before-sign-in']);
    expect(ws.terminated).toBe(1);
  });
});
