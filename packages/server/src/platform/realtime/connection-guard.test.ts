import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { guardConnection, type ConnectionGuard, type Violation } from './connection-guard.ts';

/** A WebSocket on which nothing is ever written or answered. */
class StalledWebSocket extends EventEmitter {
  terminated = 0;
  closeCodes: number[] = [];
  terminate() {
    this.terminated += 1;
  }
  close(code: number) {
    this.closeCodes.push(code);
  }
}

let ws: StalledWebSocket;
let raw: EventEmitter & { bytesRead: number };
let conn: EventEmitter;
let delivered: string[];
let violations: Violation[];
let guard: ConnectionGuard;

beforeEach(() => {
  jest.useFakeTimers();
  ws = new StalledWebSocket();
  raw = Object.assign(new EventEmitter(), { bytesRead: 500 });
  conn = Object.assign(new EventEmitter(), { request: { socket: raw } });
  delivered = [];
  violations = [];
  ws.on('message', (data: Buffer) => delivered.push(data.toString()));
  guard = guardConnection({
    conn: conn as never,
    ws: ws as never,
    requestId: 'one',
    onViolation: (violation) => violations.push(violation),
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
  it.each<[what: string, packets: string[]]>([
    ['sends nothing', []],
    ['was refused, and does not read', ['40{"token":"x"}']],
  ])('and %s is cut after 8 s', (_what, packets) => {
    for (const packet of packets) receive(packet);
    jest.advanceTimersByTime(7_999);
    expect(ws.terminated).toBe(0);
    jest.advanceTimersByTime(1);
    expect(ws.terminated).toBe(1);
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

  it.each([
    ['many frames', 51, 10],
    ['many bytes', 3, 60_000],
  ])('is cut at once for %s after that', (_what, frames, bytes) => {
    conn.emit('close');
    for (let sent = 0; sent < frames - 1; sent++) receive('3', bytes);
    expect(ws.terminated).toBe(0);
    receive('3', bytes);
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
  ws.emit('ping');
  expect(spent).toEqual([7, 40_000, 6]);
  expect(violations).toEqual(['too-much']);
});
