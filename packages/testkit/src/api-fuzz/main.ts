import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporaryMongo } from '@pufftrack/local-services';
import { startTestApp } from '../test-app.ts';
import { findSchemathesis, run } from './schemathesis.ts';

// `npm run test:api-fuzz`: Schemathesis sends what the OpenAPI document allows and what it does not, to a server of its
// own. No answer may be a 5xx, and each must be one that the document names, in the form that it names.

const examples = process.env['API_FUZZ_EXAMPLES'] ?? '25';
const seed = process.env['API_FUZZ_SEED'] ?? '20261021';
const withinMs = 300_000;
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
].join(',');
/** They end the session that everything else needs, so they are called with one of their own. */
const ending = ['logout', 'logoutAll'];

const print = (line: string) => {
  process.stdout.write(`${line}\n`);
};

const fuzz = async (): Promise<boolean> => {
  const schemathesis = await findSchemathesis(print);
  // Never a database in use: this run stores what it sends.
  const mongo = await startTemporaryMongo({ log: print });
  // Schemathesis keeps examples in a directory of its own where it runs.
  const cwd = await mkdtemp(join(tmpdir(), 'pufftrack-fuzz-'));
  try {
    const app = await startTestApp({ mongoUri: mongo.uri });
    try {
      const runAs = async (name: string, filter: readonly string[]) => {
        const token = (await app.person(name)).client.accessToken() ?? '';
        const { code } = await run(
          schemathesis,
          [
            'run',
            `${app.url}/openapi.json`,
            // The document names PUBLIC_URL, where a test server does not listen.
            ...['--url', app.url],
            ...['--header', `Authorization: Bearer ${token}`],
            ...['--checks', checks, '--phases', 'examples,coverage,fuzzing'],
            ...['--max-examples', examples, '--seed', seed, '--workers', '1', '--warnings', 'off'],
            ...filter,
          ],
          { withinMs, cwd },
        );
        if (code === null) print(`Schemathesis was ended after ${withinMs / 1_000} s.`);
        return code === 0;
      };
      const most = await runAs(
        'fuzz',
        ending.flatMap((name) => ['--exclude-operation-id', name]),
      );
      const others = await runAs(
        'fuzz-logout',
        ending.flatMap((name) => ['--include-operation-id', name]),
      );
      return most && others;
    } finally {
      await app.close();
    }
  } finally {
    await mongo.stop();
    await rm(cwd, { recursive: true, force: true });
  }
};

try {
  if (!(await fuzz())) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
