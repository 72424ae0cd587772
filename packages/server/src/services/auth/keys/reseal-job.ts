import { z } from 'zod';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs } from '../../../domain/durations.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { masterKeyId, reseal, type MasterKeys } from './sealed.ts';
import type { SealedRow, SealedRows } from './sealed-store.ts';

/** Rows between two checks for a stopping process. */
const defaultSaveEvery = 500;

/**
 * Seals with the current master key what the previous one sealed (SIWA-8). Once a run has moved nothing and left nothing
 * unopened, the previous key can be removed. An interrupted run leaves rows of both keys, which both unseal; the next
 * run moves the rest.
 */
export const resealJob = (deps: {
  rows: readonly SealedRows[];
  masterKeys: MasterKeys;
  saveEvery?: number;
}): Job => {
  const { rows, masterKeys, saveEvery = defaultSaveEvery } = deps;

  /** Undefined if no key unseals it: the value was changed, or moved from another row. */
  const resealed = (
    row: SealedRow,
    kind: string,
    log: Logger,
  ): { sealed: string | undefined } | undefined => {
    try {
      return { sealed: reseal(masterKeys, row.sealed, row.context) };
    } catch {
      log.error({ event: 'auth.seal_broken', kind }, 'row cannot be unsealed with any master key');
      return undefined;
    }
  };

  return defineJob({
    name: 'reseal',
    summary: 'moves what MASTER_KEY_PREVIOUS sealed to MASTER_KEY; idle without a previous key',
    everyMs: dayMs,
    offsetMs: 3 * hourMs,
    // Moved rows cost nothing, so a resumed run starts from the beginning.
    progress: z.null(),
    async run({ save, log }) {
      const figures = { moved: 0, unopened: 0 };
      if (masterKeys.length === 1) return figures;
      let seen = 0;
      for (const { kind, list, replace } of rows)
        for await (const row of list()) {
          const opened = resealed(row, kind, log);
          if (!opened) figures.unopened += 1;
          else if (
            opened.sealed !== undefined &&
            (await replace(row, opened.sealed, masterKeyId(masterKeys)))
          )
            figures.moved += 1;
          seen += 1;
          if (seen % saveEvery === 0) await save(null);
        }
      return figures;
    },
  });
};
