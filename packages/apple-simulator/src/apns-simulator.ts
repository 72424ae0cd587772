import type { KeyObject } from 'node:crypto';
import {
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type Http2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createBarrier, type Barrier } from './barrier.ts';
import { providerTokenFault } from './provider-token.ts';
import { selfSignedCertificate } from './self-signed.ts';

/** The response to one push. `reset` ends its stream, `stall` never answers, `goaway` makes the client send it again. */
export type ApnsReply =
  { status: number; reason?: string; timestamp?: number; retryAfter?: string } | 'reset' | 'stall' | 'goaway';

export interface ReceivedPush {
  readonly deviceToken: string;
  readonly headers: IncomingHttpHeaders;
  readonly payload: unknown;
  /** Connections count from 1. */
  readonly connection: number;
  /** 0 without a response. */
  readonly status: number;
}

export interface ApnsSimulatorOptions {
  /** Milliseconds since the epoch; provider tokens are checked against it. */
  now: () => number;
  teamId?: string | undefined;
  topic?: string | undefined;
  /** Verifies the signatures of provider tokens; absent: they are not verified. */
  key?: string | KeyObject | undefined;
  /** Concurrent streams before the first accepted push, and after it; Apple's are 1 and 100 or more. */
  streams?: { first: number; then: number } | undefined;
  production?: boolean | undefined;
}

export interface ApnsSimulator {
  /** What `APNS_BASE_URL` is set to. */
  readonly baseUrl: string;
  /** PEM of its own authority: what `APNS_CA` is set to. */
  readonly ca: string;
  /** In the order of the responses. */
  readonly pushes: readonly ReceivedPush[];
  /** The largest number of open pushes on one connection, before one was accepted on it and after. */
  readonly openAtOnce: { readonly first: number; readonly then: number };
  readonly connections: number;
  /** When the provider tokens were issued (s). */
  readonly tokenInstants: ReadonlySet<number>;
  /** The responses to the next pushes to this device, or to any device for `*`. All others are accepted. */
  reply(deviceToken: string, ...replies: ApnsReply[]): void;
  /** From now on pushes wait for `release`. */
  hold(): void;
  /** Answers the held pushes, and holds no further ones. */
  release: Barrier['release'];
  /** Resolves when `count` pushes are held. */
  held: Barrier['held'];
  /** Runs before each response. */
  onPush(listener: ((push: Omit<ReceivedPush, 'status'>) => void) | undefined): void;
  close(): Promise<void>;
}

interface Connection {
  readonly number: number;
  accepted: boolean;
  open: number;
}

const maxPayloadBytes = 4_096;
/** What the barrier holds: pushes to all devices. */
const everyPush = '*';

const instantOf = (authorization: string | undefined): number | undefined => {
  try {
    const claims: unknown = JSON.parse(
      Buffer.from(authorization?.split('.')[1] ?? '', 'base64url').toString('utf8'),
    );
    return typeof claims === 'object' && claims !== null && 'iat' in claims ? Number(claims.iat) : undefined;
  } catch {
    return undefined;
  }
};

/** Apple's push service over HTTP/2 and TLS on a loopback port. Refuses to start in production. */
export const startApnsSimulator = async (options: ApnsSimulatorOptions): Promise<ApnsSimulator> => {
  const { now, teamId = 'SIMULATED0', topic, key } = options;
  const streams = options.streams ?? { first: 1, then: 100 };
  if (options.production) throw new Error('The simulator of APNs does not start in production.');
  const tls = selfSignedCertificate(Date.now());
  const pushes: ReceivedPush[] = [];
  const replies = new Map<string, ApnsReply[]>();
  const connections = new Map<Http2Session, Connection>();
  const openAtOnce = { first: 0, then: 0 };
  const tokenInstants = new Set<number>();
  const barrier = createBarrier();
  let count = 0;
  let listener: ((push: Omit<ReceivedPush, 'status'>) => void) | undefined;

  const server = createSecureServer({
    key: tls.key,
    cert: tls.certificate,
    settings: { maxConcurrentStreams: streams.first },
  });
  server.on('session', (session) => {
    connections.set(session, { number: ++count, accepted: false, open: 0 });
    session.on('close', () => connections.delete(session));
    session.on('error', () => undefined);
  });

  const faultOf = async (headers: IncomingHttpHeaders, body: Buffer): Promise<ApnsReply> => {
    const authorization = headers.authorization;
    const instant = instantOf(authorization);
    if (instant !== undefined) tokenInstants.add(instant);
    const fault = await providerTokenFault(authorization, { teamId, now, key });
    if (fault) return { status: 403, reason: fault };
    if (topic !== undefined && headers['apns-topic'] !== topic)
      return { status: 400, reason: 'DeviceTokenNotForTopic' };
    if (body.length > maxPayloadBytes) return { status: 413, reason: 'PayloadTooLarge' };
    return { status: 200 };
  };

  const answer = (
    stream: ServerHttp2Stream,
    connection: Connection,
    reply: ApnsReply,
    id: string,
  ): number => {
    const { session } = stream;
    if (stream.destroyed || !session || reply === 'stall') return 0;
    if (reply === 'reset') {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      return 0;
    }
    if (reply === 'goaway') {
      // Rejected: the last processed stream is the one before it.
      session.goaway(constants.NGHTTP2_NO_ERROR, Math.max(0, (stream.id ?? 1) - 2));
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    const { status, reason, timestamp, retryAfter } = reply;
    stream.respond({
      ':status': status,
      'apns-id': id,
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    });
    stream.end(status === 200 ? undefined : JSON.stringify({ reason, timestamp }));
    if (status === 200 && !connection.accepted) {
      connection.accepted = true;
      session.settings({ maxConcurrentStreams: streams.then });
    }
    return status;
  };

  const take = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const deviceToken = (headers[':path'] ?? '').replace('/3/device/', '');
    await new Promise<void>((resolve) => {
      barrier.pass(everyPush, resolve);
    });
    const programmed = replies.get(deviceToken)?.shift() ?? replies.get('*')?.shift();
    const reply = programmed ?? (await faultOf(headers, body));
    const push = {
      deviceToken,
      headers,
      payload: JSON.parse(body.toString('utf8')) as unknown,
      connection: connection.number,
    };
    listener?.(push);
    pushes.push({ ...push, status: answer(stream, connection, reply, String(headers['apns-id'])) });
  };

  server.on('stream', (stream, headers) => {
    const connection = stream.session && connections.get(stream.session);
    if (!connection) return;
    connection.open += 1;
    const when = connection.accepted ? 'then' : 'first';
    openAtOnce[when] = Math.max(openAtOnce[when], connection.open);
    stream.on('error', () => undefined);
    stream.on('close', () => {
      connection.open -= 1;
    });
    // A stream that the client has reset is not a push.
    take(stream, headers, connection).catch(() => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  return {
    baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: tls.certificate,
    pushes,
    openAtOnce,
    get connections() {
      return count;
    },
    tokenInstants,
    reply(deviceToken, ...next) {
      replies.set(deviceToken, [...(replies.get(deviceToken) ?? []), ...next]);
    },
    hold() {
      barrier.hold(everyPush);
    },
    release: barrier.release,
    held: barrier.held,
    onPush(next) {
      listener = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const session of connections.keys()) session.destroy();
      }),
  };
};
