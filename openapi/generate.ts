import { readFileSync, writeFileSync } from 'node:fs';
import { pathsMap, upstreams } from '../deploy/proxy/nginx-files.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { openApiDocument } from './document.ts';
import { withEndpointTable } from './endpoint-table.ts';

const architecture = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8');

/** What is generated from the contract and the routes, and committed. */
const generated: readonly [file: string, fresh: string][] = [
  ['openapi/openapi.json', `${JSON.stringify(openApiDocument(), null, 2)}\n`],
  ['openapi/asyncapi.json', `${JSON.stringify(asyncApiDocument(), null, 2)}\n`],
  ['deploy/proxy/paths.map', pathsMap()],
  ['deploy/proxy/upstreams.conf', upstreams()],
  ['docs/architecture.md', withEndpointTable(architecture)],
];

// `npm run generate` writes the files; with --check it only says whether they are fresh.
for (const [file, fresh] of generated) {
  const url = new URL(`../${file}`, import.meta.url);
  if (!process.argv.includes('--check')) {
    writeFileSync(url, fresh);
  } else if (readFileSync(url, 'utf8') !== fresh) {
    process.stderr.write(
      `${file} is not up to date with the contract and the routes; run \`npm run generate\`.\n`,
    );
    process.exitCode = 1;
  }
}
