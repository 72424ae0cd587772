import { PuffInput, SocketPuffBatch, UndoInput } from '@pufftrack/contract';
import type { z } from 'zod';
import { invalidInput } from '../../platform/edge/problem.ts';
import { socketEvent, type SocketEvent } from '../../platform/realtime/socket-event.ts';
import type { PuffEditService } from './puff-edit-service.ts';
import type { PuffService } from './puff-service.ts';

/** The socket's `puff` (one puff, or a batch under `puffs`) and `undo`: the same use cases as over HTTP. */
export const puffEvents = (puffs: PuffService, changes: PuffEditService): SocketEvent[] => [
  socketEvent('puff', async ({ actor, payload }) =>
    'puffs' in payload && payload.puffs !== null
      ? puffs.recordBatch(actor, parse(SocketPuffBatch, payload).puffs)
      : puffs.record(actor, parse(PuffInput, payload)),
  ),
  socketEvent('undo', async ({ actor, payload }) => changes.undo(actor, parse(UndoInput, payload).id)),
];

const parse = <Schema extends z.ZodType>(schema: Schema, payload: object): z.output<Schema> => {
  const parsed = schema.safeParse(payload);
  if (!parsed.success) throw invalidInput(parsed.error);
  return parsed.data;
};
