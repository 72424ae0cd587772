import { beforeEach, describe, expect, it } from '@jest/globals';
import { noBus, type Bus } from '../../bus/bus.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { LoadPayload } from './payload-loads.ts';
import { shareRealtime } from './shared-realtime.ts';
import { noSockets, type Realtime } from '../socket-server.ts';

describe('a command to the sockets of another process', () => {
  let now: number;
  let emitted: unknown[][];
  /** Published, and not yet delivered. */
  let undelivered: unknown[];
  let deliver: (message: unknown) => void;
  let one: Realtime;
  let load: LoadPayload;
  let members: Set<string>;

  beforeEach(() => {
    now = Date.UTC(2026, 9, 21, 10);
    emitted = [];
    undelivered = [];
    members = new Set(['a']);
    load = () => Promise.resolve(undefined);
    const share = (local: Realtime, bus: Bus) =>
      shareRealtime({
        local: () => local,
        bus,
        load: (event, reference) => load(event, reference),
        clock: { now: () => now },
        log: createLogger({ level: 'silent' }),
      });
    one = share(noSockets, {
      ...noBus,
      // As it comes over the wire.
      publish: (_channel, message) => void undelivered.push(JSON.parse(JSON.stringify(message))),
    });
    share(
      {
        ...noSockets,
        hasMembers: (room) => members.has(room),
        emit: (room, event, payload, options) => void emitted.push([room, event, payload(), options]),
      },
      { ...noBus, on: (_channel, listener) => void (deliver = listener) },
    );
  });
  const arrive = () => {
    for (const message of undelivered.splice(0)) deliver(message);
  };

  it('is done there, to the same rooms but one', () => {
    one.emit('a', 'friendRemoved', () => ({ friendId: 'x' }), { exceptRoom: 'b' });
    arrive();
    expect(emitted).toEqual([['a', 'friendRemoved', { friendId: 'x' }, { exceptRoom: 'b' }]]);
  });

  it('is dropped only after the end of its moment', () => {
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

  it('is ignored where it is unknown', () => {
    for (const message of [null, 5, {}, { do: 'fly' }, { do: 'emit', room: 'a' }, { do: 'disconnect' }])
      deliver(message);
    expect(emitted).toEqual([]);
  });

  it('is loaded there by its ids, in its order, where a socket needs it', async () => {
    const releases: (() => void)[] = [];
    const loaded: unknown[] = [];
    load = (event, reference) => {
      loaded.push([event, reference]);
      return new Promise((resolve) => {
        releases.push(() => {
          resolve({ stats: 'as they are now' });
        });
      });
    };
    const emitStats = (room: string) => {
      one.emit(room, 'statsUpdate', () => ({ stats: 'as they were' }) as never, {
        reference: { userId: room },
      });
    };
    emitStats('a');
    emitStats('room without a socket');
    one.emit('a', 'friendRemoved', () => ({ friendId: 'x' }));
    one.emit('b', 'friendRemoved', () => ({ friendId: 'y' }));
    expect(JSON.stringify(undelivered)).not.toContain('as they were');
    arrive();
    expect(loaded).toEqual([['statsUpdate', { userId: 'a' }]]);
    expect(emitted.map(([room]) => room)).toEqual(['b']);
    for (const release of releases) release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(emitted.slice(1).map(([room, event, payload]) => [room, event, payload])).toEqual([
      ['a', 'statsUpdate', { stats: 'as they are now' }],
      ['a', 'friendRemoved', { friendId: 'x' }],
    ]);
    // Nothing waits any more, and what cannot be loaded holds nothing up.
    load = () => Promise.reject(new Error('away'));
    emitStats('a');
    one.emit('a', 'friendRemoved', () => ({ friendId: 'z' }));
    arrive();
    await new Promise((resolve) => setImmediate(resolve));
    expect(emitted.slice(3).map(([, event, payload]) => [event, payload])).toEqual([
      ['friendRemoved', { friendId: 'z' }],
    ]);
  });

  it('is dropped where loading it took until its moment was over', async () => {
    let release = () => {};
    load = () =>
      new Promise((resolve) => {
        release = () => {
          resolve({ friendId: 'x' });
        };
      });
    one.emit('a', 'friendPuff', () => ({}) as never, { goodForMs: 60_000, reference: {} });
    arrive();
    now += 60_000;
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(emitted).toEqual([]);
  });
});
