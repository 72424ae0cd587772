import { readFileSync, writeFileSync } from 'node:fs';
import { openApiDocument } from './document.ts';

// `npm run generate` writes openapi.json; with --check it only says whether the file is fresh.
const file = new URL('openapi.json', import.meta.url);
const fresh = `${JSON.stringify(openApiDocument(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, fresh);
} else if (readFileSync(file, 'utf8') !== fresh) {
  process.stderr.write('openapi/openapi.json is not what the contract says; run `npm run generate`.\n');
  process.exitCode = 1;
}
