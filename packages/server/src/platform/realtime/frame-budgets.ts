import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';

const windowMs = 60_000;
/** More than the events that the rate limits allow, and their heartbeats. */
const framesPerWindow = 1_500;
/**
 * A frame of 64 KB costs up to 4 ms to parse and check, so this is an eighth of a second of the process in a minute.
 * 100 puffs in one event are some 20 KB: a phone still sends 10,000 in a minute.
 */
const bytesPerWindow = 2 * 1024 * 1024;
const maxPeople = 20_000;

/** What the sockets of a person may send to this process in a minute, heartbeats and what is never answered included. */
export interface FrameBudgets {
  /** Counts one frame of so many bytes, as they came over the network. False beyond the budget. */
  spend(userId: string, bytes: number): boolean;
  /** Whole seconds until the budget is there again; undefined while there is room. Counts nothing. */
  spentFor(userId: string): number | undefined;
}

export const createFrameBudgets = ({ clock, scale }: { clock: Clock; scale: number }): FrameBudgets => {
  const windows = new LRUCache<string, { frames: number; bytes: number; endsAt: number }>({ max: maxPeople });
  const maxFrames = Math.max(10, framesPerWindow * scale);
  const maxBytes = Math.max(256 * 1024, bytesPerWindow * scale);
  /** Not one that ends later than it can: the clock was set back. */
  const running = (userId: string, now: number) => {
    const window = windows.get(userId);
    return window && now < window.endsAt && window.endsAt - now <= windowMs ? window : undefined;
  };
  const hasRoom = (window: { frames: number; bytes: number }) =>
    window.frames <= maxFrames && window.bytes <= maxBytes;
  return {
    spend(userId, bytes) {
      const now = clock.now();
      let window = running(userId, now);
      if (!window) {
        window = { frames: 0, bytes: 0, endsAt: now + windowMs };
        windows.set(userId, window);
      }
      window.frames += 1;
      window.bytes += bytes;
      return hasRoom(window);
    },
    spentFor(userId) {
      const now = clock.now();
      const window = running(userId, now);
      return !window || hasRoom(window) ? undefined : Math.ceil((window.endsAt - now) / 1_000);
    },
  };
};
