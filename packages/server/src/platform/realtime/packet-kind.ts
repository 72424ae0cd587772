/** What a text frame of a client is, judged by its first bytes: nothing is decoded for it. */
export type PacketKind = 'pong' | 'connect' | 'disconnect' | 'event' | 'other-namespace' | 'unexpected';

const code = (character: string) => character.charCodeAt(0);
const [message, pong, root, comma] = [code('4'), code('3'), code('/'), code(',')];
const kinds = new Map<number | undefined, 'connect' | 'disconnect' | 'event'>([
  [code('0'), 'connect'],
  [code('1'), 'disconnect'],
  [code('2'), 'event'],
]);

/**
 * Engine.IO 4 puts a digit in front of each packet, Socket.IO 5 another one behind it, and a namespace other than `/`
 * between that and the payload. Swift writes `/,` where other clients write nothing. Acks, errors and binary packets are
 * unexpected: the server asks for no ack, and no event of the contract carries bytes.
 *
 * packetKindOf of `40{"token":"..."}` is connect, of `42["puff",{}]` event, of `40/admin,` other-namespace.
 */
export const packetKindOf = (frame: Buffer): PacketKind => {
  if (frame[0] === pong) return 'pong';
  if (frame[0] !== message) return 'unexpected';
  const kind = kinds.get(frame[1]);
  if (!kind) return 'unexpected';
  const isRoot = frame[2] !== root || frame.length === 3 || frame[3] === comma;
  return isRoot ? kind : 'other-namespace';
};
