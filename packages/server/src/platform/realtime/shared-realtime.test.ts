import { beforeEach, describe, expect, it } from '@jest/globals';
import { noBus, type Bus } from '../bus/bus.ts';
import { createLogger } from '../logger.ts';
import { shareRealtime } from './shared-realtime.ts';
import { noSockets, type Realtime } from './socket-server.ts';

describe('what one process asks of the sockets of another', () => {
  let now: number;
  let emitted: unknown[][];
  /** What the one has said and the other has not heard yet. */
  let onItsWay: unknown[];
  let hear: (message: unknown) => void;
  let one: Realtime;

  beforeEach(() => {
    now = Date.UTC(2026, 9, 21, 10);
    emitted = [];
    onItsWay = [];
    const share = (local: Realtime, bus: Bus) =>
      shareRealtime({
        local: () => local,
        bus,
        clock: { now: () => now },
        log: createLogger({ level: 'silent' }),
      });
    one = share(noSockets, {
      ...noBus,
      // As it comes over the wire.
      publish: (_channel, message) => void onItsWay.push(JSON.parse(JSON.stringify(message))),
    });
    share(
      {
        ...noSockets,
        emit: (room, event, payload, options) => void emitted.push([room, event, payload(), options]),
      },
      { ...noBus, on: (_channel, listener) => void (hear = listener) },
    );
  });
  const arrive = () => {
    for (const message of onItsWay.splice(0)) hear(message);
  };

  it('is done there, to the same rooms but one', () => {
    one.emit('a', 'friendRemoved', () => ({ friendId: 'x' }), { exceptRoom: 'b' });
    arrive();
    expect(emitted).toEqual([['a', 'friendRemoved', { friendId: 'x' }, { exceptRoom: 'b' }]]);
  });

  it('is dropped where it tells of a moment that is over, and of those alone', () => {
    const emit = (friendId: string, options?: { goodForMs: number }) => {
      one.emit('a', 'friendRemoved', () => ({ friendId }), options);
    };
    emit('late', { goodForMs: 60_000 });
    emit('whenever');
    now += 1;
    emit('in time', { goodForMs: 60_000 });
    now += 59_999;
    arrive();
    expect(emitted.map(([, , payload]) => payload)).toEqual([
      { friendId: 'whenever' },
      { friendId: 'in time' },
    ]);
  });

  it('is passed over where nobody here knows it', () => {
    for (const message of [null, 5, {}, { do: 'fly' }, { do: 'emit', room: 'a' }, { do: 'disconnect' }])
      hear(message);
    expect(emitted).toEqual([]);
  });
});
