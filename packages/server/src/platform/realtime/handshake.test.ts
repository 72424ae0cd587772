import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { requireHandshake, requireSocketPath } from './handshake.ts';

const request = (url: string, method = 'GET') => ({ url, method }) as IncomingMessage;
const valid = '/socket.io/?EIO=4&transport=websocket';

describe('requireSocketPath', () => {
  it.each(['/socket.io', '/socket.io/', valid])('accepts %s', (url) => {
    expect(() => {
      requireSocketPath(request(url));
    }).not.toThrow();
  });

  it.each(['/', '/socket.io/x', '/socket.iox', '/x?/socket.io/'])('rejects %s', (url) => {
    expect(() => {
      requireSocketPath(request(url));
    }).toThrow('No such endpoint.');
  });
});

describe('requireHandshake', () => {
  it('accepts a WebSocket upgrade of Engine.IO 4', () => {
    expect(() => {
      requireHandshake(request(valid), true);
    }).not.toThrow();
  });

  it.each([
    ['no query', '/socket.io/', 'EIO=4'],
    ['an older protocol', '/socket.io/?EIO=3&transport=websocket', 'EIO=4'],
    ['two protocols', '/socket.io/?EIO=4&EIO=3&transport=websocket', 'EIO=4'],
    ['polling', '/socket.io/?EIO=4&transport=polling', 'polling is refused'],
    ['a session id', `${valid}&sid=abc`, 'takes no `sid`'],
  ])('rejects %s and says what is accepted', (_name, url, detail) => {
    expect(() => {
      requireHandshake(request(url), true);
    }).toThrow(detail);
  });

  it('rejects a request that is not an upgrade', () => {
    expect(() => {
      requireHandshake(request(valid), false);
    }).toThrow('no WebSocket upgrade');
  });

  it('rejects an upgrade with another method than GET', () => {
    expect(() => {
      requireHandshake(request(valid, 'POST'), true);
    }).toThrow(expect.objectContaining({ code: 'method-not-allowed' }));
  });
});
