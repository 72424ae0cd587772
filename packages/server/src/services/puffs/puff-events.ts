import { PuffInput, SocketPuffBatch } from '@pufftrack/contract';
import { invalidInput } from '../../platform/http/problem.ts';
import { socketEvent, type SocketEvent } from '../../platform/realtime/socket-event.ts';
import type { PuffService } from './puff-service.ts';

/** The socket's `puff`: one puff, or a batch under `puffs`; the same use case as over HTTP. */
export const puffEvents = (puffs: PuffService): SocketEvent[] => [
  socketEvent('puff', async ({ actor, payload }) => {
    if ('puffs' in payload) {
      const batch = SocketPuffBatch.safeParse(payload);
      if (!batch.success) throw invalidInput(batch.error);
      return puffs.recordBatch(actor, batch.data.puffs);
    }
    const single = PuffInput.safeParse(payload);
    if (!single.success) throw invalidInput(single.error);
    return puffs.record(actor, single.data);
  }),
];
