import { Adapter } from 'socket.io-adapter';

interface FrameOptions {
  /** The WebSocket frame that all sockets of a room get: its head, and what it carries. */
  wsPreEncodedFrame?: Uint8Array[];
}
interface Encoder {
  _encode(packet: unknown, options: FrameOptions): unknown;
}

/**
 * Socket.IO's own adapter, but a frame for a room is one piece of memory instead of two, so each socket of it costs one
 * plain write: a fifth less CPU (docs/performance.md). `_encode` is not public; where a version of Socket.IO has none,
 * or no such frame, that version's own encoding is used, and the test beside this file fails.
 */
export class SingleFrameAdapter extends Adapter {}

const { _encode } = Adapter.prototype as unknown as Encoder;
(SingleFrameAdapter.prototype as unknown as Encoder)._encode = function (packet, options) {
  const encoded = _encode.call(this, packet, options);
  if (options.wsPreEncodedFrame) options.wsPreEncodedFrame = [Buffer.concat(options.wsPreEncodedFrame)];
  return encoded;
};
