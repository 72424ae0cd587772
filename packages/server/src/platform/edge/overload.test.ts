import { expect, it } from '@jest/globals';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { DomainError } from './errors.ts';
import { createOverload } from './overload.ts';

it('refuses calls after three late samples in a row, until the first good one', async () => {
  let sample: (lagMs: number) => void = () => undefined;
  const metrics = createMetrics();
  const { requireCapacity } = createOverload({
    watchLag: (onSample) => {
      sample = onSample;
      return () => undefined;
    },
    metrics,
    log: createLogger({ level: 'silent' }),
  });
  const codeAfter = (lagMs: number): string | undefined => {
    sample(lagMs);
    try {
      requireCapacity();
      return undefined;
    } catch (error) {
      return (error as DomainError).code;
    }
  };
  const lags = [201, 201, 0, 201, 201, 201, 500, 200, 201];
  const free = undefined;
  const codes = [free, free, free, free, free, 'overloaded', 'overloaded', free, free];
  expect(lags.map(codeAfter)).toEqual(codes);
  expect(await metrics.text()).toContain('pufftrack_shed_total 2');
});
