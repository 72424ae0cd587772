// @not-split: kills and restarts processes of its own
import { describe, it } from '@jest/globals';
import { expectWholeInboxes } from './inbox-kill.ts';

describe('persistent events during kills and restarts of phones', () => {
  it('48 of them: every phone has its inbox, in its order, each row once', async () => {
    await expectWholeInboxes({ people: 8, asks: 3, kills: 1 });
  }, 300_000);
});
