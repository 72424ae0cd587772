import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Decoder, type Packet } from 'socket.io-parser';
import { packetKindOf, type PacketKind } from './packet-kind.ts';

const kindOf = (text: string) => packetKindOf(Buffer.from(text));

describe('the kind of a frame', () => {
  it.each<[string, PacketKind]>([
    ['3', 'pong'],
    ['40', 'connect'],
    ['40{"token":"a/b,c"}', 'connect'],
    ['40/', 'connect'],
    ['40/,{"token":"x"}', 'connect'],
    ['41', 'disconnect'],
    ['41/,', 'disconnect'],
    ['42["puff",{}]', 'event'],
    ['427["puff",{}]', 'event'],
    ['42/,7["puff",{}]', 'event'],
    ['40/admin', 'other-namespace'],
    ['40/admin,{"token":"x"}', 'other-namespace'],
    ['40/?token=x', 'other-namespace'],
    ['41/admin,', 'other-namespace'],
    ['42/admin,["puff"]', 'other-namespace'],
    ['43[]', 'unexpected'],
    ['431["ack"]', 'unexpected'],
    ['44{"message":"no"}', 'unexpected'],
    ['451-["puff",{"_placeholder":true,"num":0}]', 'unexpected'],
    ['461-1[{"_placeholder":true,"num":0}]', 'unexpected'],
    ['47', 'unexpected'],
    ['4', 'unexpected'],
    ['4x', 'unexpected'],
    ['', 'unexpected'],
    // Open, close, ping, upgrade and noop of Engine.IO, and its base64 form of bytes.
    ['0{}', 'unexpected'],
    ['1', 'unexpected'],
    ['2', 'unexpected'],
    ['2probe', 'unexpected'],
    ['5', 'unexpected'],
    ['6', 'unexpected'],
    ['bAAAA', 'unexpected'],
    ['{"token":"x"}', 'unexpected'],
  ])('%s is %s', (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });

  it('is what the decoder of Socket.IO makes of it', () => {
    const names: Readonly<Record<number, PacketKind>> = { 0: 'connect', 1: 'disconnect', 2: 'event' };
    const decoded = (text: string): Packet | undefined => {
      let packet: Packet | undefined;
      const decoder = new Decoder();
      decoder.on('decoded', (one: Packet) => (packet = one));
      try {
        decoder.add(text);
      } catch {
        return undefined;
      }
      return packet;
    };
    const part = fc.constantFrom(
      '/',
      '/,',
      '/admin,',
      ',',
      '7',
      '1-',
      '{}',
      '["puff",{}]',
      '[]',
      '"',
      '?',
      ' ',
    );
    const packet = fc
      .tuple(fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7'), fc.array(part, { maxLength: 5 }))
      .map(([type, parts]) => `${type}${parts.join('')}`);
    fc.assert(
      fc.property(packet, (text) => {
        const found = decoded(text);
        const kind = kindOf(`4${text}`);
        if (found === undefined) return;
        const named = names[found.type] ?? 'unexpected';
        expect(kind).toBe(named === 'unexpected' || found.nsp === '/' ? named : 'other-namespace');
      }),
      { numRuns: 2_000 },
    );
  });
});
