import { readFileSync, writeFileSync } from 'node:fs';
import { asyncApiDocument } from './asyncapi.ts';
import { openApiDocument } from './document.ts';

// `npm run generate` writes both documents; with --check it only says whether they are fresh.
const documents = { 'openapi.json': openApiDocument(), 'asyncapi.json': asyncApiDocument() };

for (const [name, document] of Object.entries(documents)) {
  const file = new URL(name, import.meta.url);
  const fresh = `${JSON.stringify(document, null, 2)}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(file, fresh);
  } else if (readFileSync(file, 'utf8') !== fresh) {
    process.stderr.write(`openapi/${name} is not what the contract says; run \`npm run generate\`.\n`);
    process.exitCode = 1;
  }
}
