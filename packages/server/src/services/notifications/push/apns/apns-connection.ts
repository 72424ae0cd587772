import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { UnavailableError } from '../../../../platform/concurrency/circuit-breaker.ts';
import type { ApnsAnswer } from './apns-outcome.ts';

const maxStreams = 100;
const maxAnswerBytes = 8 * 1024;
/** The first try, and one on a new connection where the old one went away under it. */
const attempts = 2;

export interface ApnsRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One long-lived HTTP/2 connection (PUSH-1); a new one is opened only where the old one is gone. */
export interface ApnsConnection {
  /** Throws UnavailableError where there is no answer; the same request may then be sent again. */
  post(request: ApnsRequest): Promise<ApnsAnswer>;
  close(): void;
}

interface Line {
  readonly session: ClientHttp2Session;
  inFlight: number;
  /** Apple has taken a push here, and with it our provider token. Until then it wants one stream at a time. */
  accepted: boolean;
  /** Takes no more requests: GOAWAY, a reset, a request without an answer. Those under way may still be answered. */
  closing: boolean;
}

export const createApnsConnection = (deps: {
  baseUrl: string;
  ca?: string | undefined;
  /** Tests wait less. */
  answerWithinMs?: number;
}): ApnsConnection => {
  const { answerWithinMs = 10_000 } = deps;
  let line: Line | undefined;
  let closed = false;
  /** The one in use, and those that still wait for answers. */
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

  /** A connection that is closed politely waits for the other side, which may never say a word. */
  const endIfUnused = ({ closing, inFlight, session }: Line) => {
    if (closing && inFlight === 0) session.destroy();
  };

  const connectAnew = (): Line => {
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
    // Each stream has the error too, and the request under way says it.
    session.on('error', () => {
      retire(opened);
    });
    line = opened;
    return opened;
  };

  const roomOf = ({ accepted, session }: Line): number =>
    accepted ? Math.min(maxStreams, session.remoteSettings.maxConcurrentStreams ?? maxStreams) : 1;

  /** Room on the connection, within the time that an answer may take. */
  const acquire = async (): Promise<Line> => {
    const deadline = performance.now() + answerWithinMs;
    for (;;) {
      if (closed) throw new UnavailableError('the connection to APNs is closed');
      const current = line ?? connectAnew();
      if (current.inFlight < roomOf(current)) {
        current.inFlight += 1;
        return current;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new UnavailableError('APNs did not answer those before in time');
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, leftMs);
        waiting.push(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
  };

  const exchange = (on: Line, { path, headers, body }: ApnsRequest): Promise<ApnsAnswer> =>
    new Promise((resolve, reject) => {
      const stream = on.session.request({ ':method': 'POST', ':path': path, ...headers });
      let head: IncomingHttpHeaders | undefined;
      let text = '';
      const deadline = setTimeout(() => {
        reject(new UnavailableError('APNs did not answer in time'));
        // A connection that does not answer is not waited for again.
        retire(on);
        stream.close(constants.NGHTTP2_CANCEL);
      }, answerWithinMs);
      stream.setEncoding('utf8');
      stream.on('response', (received) => (head = received));
      stream.on('data', (chunk: string) => {
        if (text.length < maxAnswerBytes) text += chunk;
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

  const once = async (request: ApnsRequest): Promise<ApnsAnswer> => {
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
          // The stream was not answered: not taken (GOAWAY), or nobody knows. The apns-id says that it is the same one.
          if (attempt === attempts) throw new UnavailableError('APNs did not answer', { cause });
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
