import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.ts';
import { createLogOutput } from './log-output.ts';

/** A reader that takes one write at a time, when the test says so. */
const stalledReader = () => {
  let text = '';
  let taken: (() => void) | undefined;
  let isStalled = true;
  const stream = new Writable({
    highWaterMark: 16,
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      if (isStalled) taken = done;
      else done();
    },
  });
  return {
    stream,
    text: () => text,
    read() {
      isStalled = false;
      taken?.();
    },
  };
};

const drained = (stream: Writable) => new Promise((resolve) => stream.once('drain', resolve));

describe('log lines for a reader that does not read', () => {
  it('wait up to the bound, then are dropped, and one line says how many', async () => {
    const reader = stalledReader();
    const output = createLogOutput(reader.stream, { maxWaiting: 100 });
    const line = (index: number) => `${String(index).padStart(19, '0')}\n`;
    for (let index = 0; index < 50; index++) output.write(line(index));
    // The first went to the stream, five wait.
    expect(output.lost()).toBe(44);
    const flushed = output.flush(60_000);
    reader.read();
    expect(await flushed).toBe(true);
    const lines = reader.text().trimEnd().split('\n');
    expect(lines.slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5].map((index) => line(index).trimEnd()));
    expect(lines).toHaveLength(7);
    expect(JSON.parse(lines[6] ?? '')).toMatchObject({ level: 40, event: 'log.lost', lines: 44 });
    output.write(line(50));
    expect(reader.text().endsWith(line(50))).toBe(true);
    expect(output.lost()).toBe(44);
  });

  it('report each stall once', async () => {
    const reader = stalledReader();
    const output = createLogOutput(reader.stream, { maxWaiting: 0 });
    for (let index = 0; index < 3; index++) output.write('a line that is long enough\n');
    const drain = drained(reader.stream);
    reader.read();
    await drain;
    await output.flush(60_000);
    output.write('another line that is long enough\n');
    await output.flush(60_000);
    expect(reader.text().match(/log\.lost/g)).toHaveLength(1);
  });

  it('are dropped and counted after the reader has gone, and end nothing', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(new Error('EPIPE'));
      },
    });
    const output = createLogOutput(stream);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    output.write('x\n');
    await closed;
    for (let index = 0; index < 10; index++) output.write('x\n');
    expect(output.lost()).toBe(10);
    expect(await output.flush(60_000)).toBe(true);
  });

  it('do not keep a flush waiting for ever', async () => {
    const reader = stalledReader();
    const output = createLogOutput(reader.stream);
    output.write('a line that is long enough\n');
    expect(await output.flush(1)).toBe(false);
  });

  it('come from the logger as they are', () => {
    const reader = stalledReader();
    reader.read();
    const log = createLogger({ level: 'info', destination: createLogOutput(reader.stream) });
    log.info({ count: 1 }, 'something happened');
    expect(JSON.parse(reader.text())).toMatchObject({ level: 30, count: 1, msg: 'something happened' });
  });
});
