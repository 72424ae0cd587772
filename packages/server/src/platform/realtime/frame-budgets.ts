import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';

const windowMs = 60_000;
/** More than the events that the rate limits allow, and their heartbeats. */
const framesPerWindow = 1_500;
/**
 * A full frame costs up to 8 ms to parse and check, so this is half a second of the process in a minute. 100 puffs in
 * one event are some 20 KB: a phone still sends 20,000 in a minute.
 */
const bytesPerWindow = 4 * 1024 * 1024;
const maxPeople = 20_000;

/** What the sockets of a person may send to this process in a minute, heartbeats and what is never answered included. */
export interface FrameBudgets {
  /** Counts one frame of so many bytes, as they came over the network. False beyond the budget. */
  spend(userId: string, bytes: number): boolean;
}

export const createFrameBudgets = ({ clock, scale }: { clock: Clock; scale: number }): FrameBudgets => {
  const windows = new LRUCache<string, { frames: number; bytes: number; endsAt: number }>({ max: maxPeople });
  const maxFrames = Math.max(10, framesPerWindow * scale);
  const maxBytes = Math.max(256 * 1024, bytesPerWindow * scale);
  return {
    spend(userId, bytes) {
      const now = clock.now();
      let window = windows.get(userId);
      // Also a window that ends later than it can: the clock was set back.
      if (!window || now >= window.endsAt || window.endsAt - now > windowMs) {
        window = { frames: 0, bytes: 0, endsAt: now + windowMs };
        windows.set(userId, window);
      }
      window.frames += 1;
      window.bytes += bytes;
      return window.frames <= maxFrames && window.bytes <= maxBytes;
    },
  };
};
