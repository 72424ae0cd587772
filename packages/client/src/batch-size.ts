import type { PuffStorage } from './puff-storage.ts';
import type { PuffToSend } from './stored-puffs.ts';

const firstBatchSize = 100;
/** Maximum of the contract. */
const maxBatchSize = 1000;
/** Below the contract's 512 KB, with room for the envelope. */
const maxBatchBytes = 480 * 1024;
const growth = 1.5;

const encoder = new TextEncoder();

/** The longest head of the rows that fits into one call; at least one row, so that a huge one does not block the rest. */
export const headBatch = (rows: readonly PuffToSend[], size: number): PuffToSend[] => {
  const batch: PuffToSend[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, size)) {
    bytes += encoder.encode(JSON.stringify(row.puff)).length + 1;
    if (batch.length > 0 && bytes > maxBatchBytes) break;
    batch.push(row);
  }
  return batch;
};

/** Puffs per call: halved after an interrupted call, times 1.5 after a full one; stored over restarts. */
export const createBatchSize = (storage: PuffStorage) => {
  const read = async () =>
    Math.min(maxBatchSize, Math.max(1, Math.trunc((await storage.readBatchSize()) ?? firstBatchSize)));
  return {
    read,
    cut: async (sent: number) => {
      const size = Math.min(await read(), sent);
      await storage.writeBatchSize(Math.max(1, Math.floor(size / 2)));
    },
    succeeded: async (sent: number) => {
      const size = await read();
      // Small batches say nothing about larger ones.
      if (sent >= size && size < maxBatchSize)
        await storage.writeBatchSize(Math.min(maxBatchSize, Math.ceil(size * growth)));
    },
  };
};
