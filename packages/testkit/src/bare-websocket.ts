import { connect, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { inTime } from './eventually.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface UpgradeOptions {
  readonly path?: string;
  readonly method?: string;
  /** Undefined leaves one of the usual headers out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** A WebSocket of bytes: it sends what no library would, and shows what a library would hide. */
export interface BareWebSocket {
  readonly answer: RawAnswer;
  readonly raw: Socket;
  /** One masked text frame for each message, all of them in one write. */
  send(...messages: readonly string[]): void;
  /** One frame, or so many alike in one write. */
  sendFrame(opcode: number, payload: Buffer | string, isFinal?: boolean, times?: number): void;
  /** Texts that the server has sent so far. */
  received(): readonly string[];
  /** The next text that matches; earlier ones count too. */
  next(pattern: RegExp): Promise<string>;
  /** The code of the server's close frame; undefined where the connection went without one. */
  readonly closed: Promise<number | undefined>;
}

export const socketPath = '/socket.io/?EIO=4&transport=websocket';

/** Sends an upgrade; resolves with what the server answers, a refusal too. */
export const upgrade = async (url: string, options: UpgradeOptions = {}): Promise<BareWebSocket> => {
  const { host, hostname, port } = new URL(url);
  const raw = connect(Number(port), hostname);
  const state = watch(raw);
  const headers = {
    Host: host,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...options.headers,
  };
  const lines = Object.entries<string | undefined>(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  raw.write(
    `${options.method ?? 'GET'} ${options.path ?? socketPath} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`,
  );
  return {
    raw,
    answer: await inTime('an answer to the upgrade', state.answered),
    send: (...messages) => {
      raw.write(Buffer.concat(messages.map((message) => frameOf(1, Buffer.from(message), true))));
    },
    sendFrame: (opcode, payload, isFinal = true, times = 1) => {
      raw.write(Buffer.concat(Array<Buffer>(times).fill(frameOf(opcode, Buffer.from(payload), isFinal))));
    },
    received: () => state.texts,
    next: (pattern) => inTime(`a text like ${String(pattern)}`, state.next(pattern)),
    get closed() {
      return inTime('the end of the connection', state.closed);
    },
  };
};

const frameOf = (opcode: number, payload: Buffer, isFinal: boolean): Buffer => {
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (payload.length < 126 ? payload.length : payload.length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(payload.length), 2);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(4), payload]);
};

const watch = (raw: Socket) => {
  const texts: string[] = [];
  const waiting = new Set<() => void>();
  let bytes = Buffer.alloc(0);
  let isOpen = false;
  const answered = withResolvers<RawAnswer>();
  const closed = withResolvers<number | undefined>();

  const readAnswer = (isEnd: boolean) => {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ]),
    );
    const status = Number(statusLine.split(' ')[1]);
    const rest = bytes.subarray(end + 4);
    if (status === 101) {
      isOpen = true;
      bytes = rest;
      answered.resolve({ status, headers, body: '' });
    } else if (isEnd || rest.length >= Number(headers['content-length'] ?? Infinity))
      answered.resolve({ status, headers, body: rest.toString('utf8') });
  };
  const readFrames = () => {
    while (isOpen) {
      const [first, second] = bytes;
      if (first === undefined || second === undefined) return;
      const head = second < 126 ? 2 : second === 126 ? 4 : 10;
      if (bytes.length < head) return;
      const length =
        second < 126 ? second : second === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < head + length) return;
      const payload = bytes.subarray(head, head + length);
      bytes = bytes.subarray(head + length);
      if ((first & 15) === 1) texts.push(payload.toString('utf8'));
      if ((first & 15) === 8) closed.resolve(payload.length < 2 ? 1005 : payload.readUInt16BE(0));
    }
  };
  raw.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!isOpen) readAnswer(false);
    readFrames();
    for (const check of waiting) check();
  });
  // A server that destroys the connection while this side still writes resets it.
  raw.on('error', () => undefined);
  raw.on('close', () => {
    if (!isOpen) readAnswer(true);
    answered.reject(new Error('the connection was closed without an answer'));
    closed.resolve(undefined);
  });
  return {
    texts,
    answered: answered.promise,
    closed: closed.promise,
    next: (pattern: RegExp) =>
      new Promise<string>((resolve) => {
        const check = () => {
          const found = texts.find((text) => pattern.test(text));
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
  };
};

const withResolvers = <T>() => {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
};
