import { writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { pino } from 'pino';

/** Where log lines go when the reader of stdout may be slower than the process, or gone. */
export interface LogOutput {
  write(line: string): void;
  /** Lines that were dropped since the start. */
  lost(): number;
  /** Resolves when everything is written; false where that takes longer than `withinMs`. */
  flush(withinMs: number): Promise<boolean>;
  /** Writes what waits here before the process exits, for as long as the reader takes it, a second at most. */
  flushSync(fd: number): void;
}

/** Some thousand lines a MB: enough for a reader that pauses, too little to fill the memory. */
const defaultMaxWaiting = 4 * 1024 * 1024;
/** Handed to the stream at once; the rest waits here, where a flush at the exit can reach it. */
const chunkLength = 64 * 1024;
const exitFlushMs = 1_000;
const retryMs = 10;

/**
 * Writes to a stream without ever waiting for it: a reader that stops reading must not stop the process (a container
 * runtime whose log driver stalls). Up to `maxWaiting` characters wait in memory; lines beyond that are dropped and
 * counted, and one line says how many once the stream takes data again. After an error (a closed pipe) all are dropped.
 */
export const createLogOutput = (stream: Writable, { maxWaiting = defaultMaxWaiting } = {}): LogOutput => {
  let waiting: string[] = [];
  let waitingLength = 0;
  let lost = 0;
  let reported = 0;
  let isBroken = false;
  let isFull = false;
  let flushed: (() => void)[] = [];

  /** False: the stream takes no more for now. */
  const send = (text: string): boolean => {
    isFull = !stream.write(text);
    return !isFull;
  };

  const takeChunk = (): string => {
    let length = 0;
    let count = 0;
    while (count < waiting.length && length < chunkLength) length += waiting[count++]?.length ?? 0;
    waitingLength -= length;
    return waiting.splice(0, count).join('');
  };

  const pump = () => {
    isFull = false;
    while (waiting.length > 0) if (!send(takeChunk())) return;
    if (lost > reported) {
      send(lostLine(lost - reported));
      reported = lost;
    }
    for (const done of flushed.splice(0)) done();
  };
  stream.on('drain', pump);
  stream.on('error', () => {
    isBroken = true;
    lost += waiting.length;
    waiting = [];
    waitingLength = 0;
    for (const done of flushed.splice(0)) done();
  });

  return {
    write(line) {
      if (isBroken) lost += 1;
      else if (!isFull) send(line);
      else if (waitingLength + line.length > maxWaiting) lost += 1;
      else {
        waiting.push(line);
        waitingLength += line.length;
      }
    },
    lost: () => lost,
    flush(withinMs) {
      if (isBroken || !isFull) return Promise.resolve(true);
      return new Promise((resolve) => {
        const late = setTimeout(resolve, withinMs, false);
        flushed = [
          ...flushed,
          () => {
            clearTimeout(late);
            resolve(true);
          },
        ];
      });
    },
    flushSync(fd) {
      const deadline = performance.now() + exitFlushMs;
      let rest = Buffer.from(waiting.join(''));
      waiting = [];
      while (rest.length > 0 && !isBroken && performance.now() < deadline) {
        try {
          rest = rest.subarray(writeSync(fd, rest));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
        }
      }
    },
  };
};

const lostLine = (lines: number): string =>
  `{"level":40${pino.stdTimeFunctions.isoTime()},"event":"log.lost","lines":${lines},"msg":"log lines were dropped while stdout was not read"}\n`;
