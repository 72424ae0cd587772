import { expect, it } from '@jest/globals';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { createInboxDelivery } from './inbox-delivery.ts';
import type { InboxRow } from './inbox-store.ts';

const row = (seq: number): InboxRow => ({
  id: String(seq),
  userId: 'ann',
  seq,
  kind: 'signed-in',
  category: 'security',
  event: 'notification',
  title: '',
  body: '',
  data: {},
  createdAt: 0,
  readAt: null,
});

it('a socket that subscribes during a delivery to another receives everything after its own number', async () => {
  let head = 10;
  let gate: Promise<void> | undefined;
  let asked = () => {};
  const delivery = createInboxDelivery({
    store: {
      heads: () => Promise.resolve(new Map([['ann', head]])),
      async listAfter(_userId, seq) {
        const rows = Array.from({ length: head - seq }, (_, index) => row(seq + 1 + index));
        asked();
        await gate;
        return rows;
      },
    },
    log: createLogger({ level: 'silent' }),
  });
  const got: { one: number[]; two: number[] } = { one: [], two: [] };
  delivery.subscribe('ann', 10, (_event, { seq }) => got.one.push(seq));
  await delivery.drain();

  head = 11;
  let openGate = () => {};
  gate = new Promise((resolve) => (openGate = resolve));
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  delivery.deliverSoon('ann');
  await isAsked;
  delivery.subscribe('ann', 5, (_event, { seq }) => got.two.push(seq));
  gate = undefined;
  openGate();
  await delivery.stop();
  expect(got).toEqual({ one: [11], two: [6, 7, 8, 9, 10, 11] });
});
