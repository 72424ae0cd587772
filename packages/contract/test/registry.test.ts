import { describe, expect, it } from '@jest/globals';
import * as contract from '../src/index.ts';

const isEndpoint = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'responses' in value;

describe('the registry of endpoints', () => {
  it('lists every declared endpoint under the name of its declaration', () => {
    const declared = Object.entries(contract).filter(([, value]) => isEndpoint(value));
    expect(declared.length).toBeGreaterThan(50);
    const registered: Readonly<Record<string, unknown>> = contract.endpoints;
    const missing = declared.filter(([name, value]) => registered[name] !== value);
    expect(missing.map(([name]) => `add "${name}" to "endpoints" in packages/contract/src/index.ts`)).toEqual(
      [],
    );
  });
});
