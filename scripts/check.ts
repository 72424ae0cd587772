import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/**
 * `npm run check`: runs the npm scripts below in two lanes, one per core. A step is skipped when an earlier step of its
 * lane failed and `needs` says so. Prints the output of failed steps only; exits with 1 when a step failed.
 */
interface Step {
  script: string;
  needs?: string;
}
const lanes: readonly (readonly Step[])[] = [
  [{ script: 'build' }, { script: 'lint:changed', needs: 'build' }, { script: 'zones' }],
  [
    { script: 'types' },
    { script: 'format:check' },
    { script: 'imports' },
    { script: 'generated' },
    { script: 'language' },
  ],
];

const run = (script: string) =>
  new Promise<{ ok: boolean; output: string }>((resolve) => {
    const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => {
      resolve({ ok: false, output: error.message });
    });
    child.on('close', (code) => {
      resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() });
    });
  });

const failed = new Set<string>();
await Promise.all(
  lanes.map(async (lane) => {
    for (const { script, needs } of lane) {
      if (needs !== undefined && failed.has(needs)) {
        process.stdout.write(`skipped  ${script}: ${needs} failed\n`);
        continue;
      }
      const start = performance.now();
      const { ok, output } = await run(script);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      process.stdout.write(`${ok ? 'ok      ' : 'FAILED  '} ${script} (${seconds} s)\n${ok ? '' : output}`);
      if (!ok) failed.add(script);
    }
  }),
);
if (failed.size > 0) {
  process.stdout.write(`\nFailed: ${[...failed].map((script) => `npm run ${script}`).join(', ')}\n`);
  process.exitCode = 1;
}
