import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { secondMs } from '../../../../domain/durations.ts';
import { UnavailableError } from '../../../../platform/concurrency/circuit-breaker.ts';
import type { ApnsResponse } from './apns-outcome.ts';

const maxStreams = 100;
const maxResponseBytes = 8 * 1024;
/** The first attempt, and one on a new connection if the old one was closed during it. */
const maxAttempts = 2;

export interface ApnsRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One long-lived HTTP/2 connection (PUSH-1); a new one is opened only after the old one has closed. */
export interface ApnsConnection {
  /** Throws UnavailableError without a response; the same request may then be sent again. */
  post(request: ApnsRequest): Promise<ApnsResponse>;
  close(): void;
}

interface Line {
  readonly session: ClientHttp2Session;
  inFlight: number;
  /** APNs has accepted a push and its provider token. Until then it allows one stream at a time. */
  accepted: boolean;
  /** Takes no new requests after a GOAWAY, a reset or a timeout. Requests in flight may still be answered. */
  closing: boolean;
}

export const createApnsConnection = (deps: {
  baseUrl: string;
  ca?: string | undefined;
  /** Shorter in tests. */
  responseWithinMs?: number;
}): ApnsConnection => {
  const { responseWithinMs = 10 * secondMs } = deps;
  let line: Line | undefined;
  let closed = false;
  /** The session in use, and those with requests in flight. */
  const open = new Set<ClientHttp2Session>();
  const waiting: (() => void)[] = [];
  const wakeAll = () => {
    for (const wake of waiting.splice(0)) wake();
  };

  const retire = (old: Line) => {
    old.closing = true;
    if (line === old) line = undefined;
    if (!old.session.closed) old.session.close();
    endIfUnused(old);
    wakeAll();
  };

  /** A graceful close waits for the peer, which may never answer. */
  const endIfUnused = ({ closing, inFlight, session }: Line) => {
    if (closing && inFlight === 0) session.destroy();
  };

  const openLine = (): Line => {
    const session = connect(deps.baseUrl, {
      minVersion: 'TLSv1.2',
      settings: { enablePush: false },
      ...(deps.ca !== undefined && { ca: deps.ca }),
    });
    const opened: Line = { session, inFlight: 0, accepted: false, closing: false };
    open.add(session);
    session.on('remoteSettings', wakeAll);
    session.on('goaway', () => {
      retire(opened);
    });
    session.on('close', () => {
      open.delete(session);
      retire(opened);
    });
    // Each stream emits the error too, so its request fails with it.
    session.on('error', () => {
      retire(opened);
    });
    line = opened;
    return opened;
  };

  const maxInFlight = ({ accepted, session }: Line): number =>
    accepted ? Math.min(maxStreams, session.remoteSettings.maxConcurrentStreams ?? maxStreams) : 1;

  /** Waits for a free stream, as long as a response may take. */
  const acquire = async (): Promise<Line> => {
    const deadline = performance.now() + responseWithinMs;
    for (;;) {
      if (closed) throw new UnavailableError('the connection to APNs is closed');
      const current = line ?? openLine();
      if (current.inFlight < maxInFlight(current)) {
        current.inFlight += 1;
        return current;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new UnavailableError('no stream to APNs became free in time');
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, leftMs);
        waiting.push(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
  };

  const exchange = (on: Line, { path, headers, body }: ApnsRequest): Promise<ApnsResponse> =>
    new Promise((resolve, reject) => {
      const stream = on.session.request({ ':method': 'POST', ':path': path, ...headers });
      let head: IncomingHttpHeaders | undefined;
      let text = '';
      const deadline = setTimeout(() => {
        reject(new UnavailableError('APNs did not answer in time'));
        // The next request uses a new connection.
        retire(on);
        stream.close(constants.NGHTTP2_CANCEL);
      }, responseWithinMs);
      stream.setEncoding('utf8');
      stream.on('response', (received) => (head = received));
      stream.on('data', (chunk: string) => {
        if (text.length < maxResponseBytes) text += chunk;
      });
      stream.on('error', reject);
      stream.on('close', () => {
        clearTimeout(deadline);
        const status = head?.[':status'];
        if (status === undefined || stream.rstCode !== constants.NGHTTP2_NO_ERROR)
          reject(new Error(`the stream ended with ${stream.rstCode}`));
        else resolve({ status: Number(status), body: text, retryAfter: head?.['retry-after'] });
      });
      stream.end(body);
    });

  const once = async (request: ApnsRequest): Promise<ApnsResponse> => {
    const on = await acquire();
    try {
      const answer = await exchange(on, request);
      if (answer.status === 200) on.accepted = true;
      return answer;
    } finally {
      on.inFlight -= 1;
      endIfUnused(on);
      wakeAll();
    }
  };

  return {
    async post(request) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(request);
        } catch (cause) {
          if (cause instanceof UnavailableError) throw cause;
          // APNs did not process the stream (GOAWAY), or that is unknown; the repeated apns-id identifies the push.
          if (attempt === maxAttempts) throw new UnavailableError('APNs did not answer', { cause });
        }
      }
    },
    close() {
      closed = true;
      for (const session of open) session.destroy();
      line = undefined;
      wakeAll();
    },
  };
};
