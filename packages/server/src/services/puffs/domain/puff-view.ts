import type { Puff } from '@pufftrack/contract';
import { dayOf, localDayOf } from '../../../domain/local-day.ts';
import { isBackdated, type RecordedPuff } from './puff.ts';

/** A puff as its owner sees it. `day` follows the person's dayStartHour. */
export const viewPuff = (puff: RecordedPuff, dayStartHour: number): Puff => ({
  id: puff.id,
  timestamp: new Date(puff.timestamp).toISOString(),
  timeZone: puff.timeZone,
  ...(puff.timeZoneInferred && { timeZoneInferred: true }),
  day: dayOf(localDayOf(puff.wall, dayStartHour)),
  deviceId: puff.deviceId,
  quantity: puff.quantity,
  product: puff.product,
  trigger: puff.trigger,
  receivedAt: new Date(puff.receivedAt).toISOString(),
  backdated: isBackdated(puff.timestamp, puff.receivedAt),
  revision: puff.rev,
});
