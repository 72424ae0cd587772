import { z } from 'zod';
import { defineJob, type Job } from '../../../platform/scheduler/job.ts';
import { dayMs, hourMs } from '../../../domain/durations.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import { masterKeyId, reseal, type MasterKeys } from './sealed.ts';
import type { SealedRow, SealedRows } from './sealed-store.ts';

/** Rows between two looks at whether the process stops. */
const defaultSaveEvery = 500;

/**
 * Moves what the previous master key sealed to the current one (SIWA-8), so that the previous can be forgotten once a
 * run has moved nothing and left nothing unopened. A run that was cut off leaves rows under either key, and both open;
 * the next one moves the rest.
 */
export const resealJob = (deps: {
  rows: readonly SealedRows[];
  masterKeys: MasterKeys;
  saveEvery?: number;
}): Job => {
  const { rows, masterKeys, saveEvery = defaultSaveEvery } = deps;

  /** Undefined where no key opens it: it was changed, or lies in a row that it was not sealed for. */
  const resealed = (
    row: SealedRow,
    kind: string,
    log: Logger,
  ): { sealed: string | undefined } | undefined => {
    try {
      return { sealed: reseal(masterKeys, row.sealed, row.context) };
    } catch {
      log.error({ event: 'auth.seal_broken', kind }, 'a sealed row opens with no master key');
      return undefined;
    }
  };

  return defineJob({
    name: 'reseal',
    summary: 'moves what MASTER_KEY_PREVIOUS sealed to MASTER_KEY; idle without a previous key',
    everyMs: dayMs,
    offsetMs: 3 * hourMs,
    // Rows that have been moved are passed over at no cost; a run that is continued begins anew.
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
