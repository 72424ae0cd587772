// @not-split: kills and restarts processes of its own
import { describe, it } from '@jest/globals';
import { expectWholeInboxes } from './inbox-kill.ts';

describe('persistent events while servers are killed and clients reconnect', () => {
  it('1,008 events: every client receives each row of its inbox once, in order', async () => {
    await expectWholeInboxes({ people: 42, asks: 12, kills: 6 });
  });
});
