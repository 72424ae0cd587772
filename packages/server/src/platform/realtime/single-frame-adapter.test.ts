import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { SingleFrameAdapter } from './single-frame-adapter.ts';

describe('an event to a room', () => {
  it('is one WebSocket frame in one piece', async () => {
    const io = new Server(createServer(), { adapter: SingleFrameAdapter });
    const written: unknown[] = [];
    const { adapter, sockets } = io.of('/');
    const socket = { id: 'one', client: { writeToEngine: (...what: unknown[]) => written.push(what) } };
    sockets.set('one', socket as never);
    await adapter.addAll('one', new Set(['room']));

    io.to('room').emit('message', { text: 'hello' });

    const payload = '42["message",{"text":"hello"}]';
    // RFC 6455: the last fragment of a text, its length below 126, not masked.
    const frame = Buffer.from([0x81, payload.length, ...Buffer.from(payload)]);
    expect(written).toEqual([[[payload.slice(1)], expect.objectContaining({ wsPreEncodedFrame: [frame] })]]);
    await io.close();
  });
});
