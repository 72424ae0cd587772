import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Logger } from '../telemetry/logger.ts';

const windowMs = 60_000;
const maxKinds = 1_000;

/** Logs refusals that a client can cause at any rate. */
export interface RefusalLog {
  /** `network` is a truncated address; `reason` is one of a closed list. */
  note(event: string, reason: string, network: string): void;
}

/**
 * Writes a line for the first refusal of a kind and network, then at most one a minute for each: `repeated` is how many
 * followed the line before it. A line per packet would make the log the bottleneck of a flood.
 */
export const createRefusalLog = ({ clock, log }: { clock: Clock; log: Logger }): RefusalLog => {
  const kinds = new LRUCache<string, { endsAt: number; repeated: number }>({ max: maxKinds });
  return {
    note(event, reason, network) {
      const key = `${event} ${reason} ${network}`;
      const now = clock.now();
      const known = kinds.get(key);
      if (known && now < known.endsAt && known.endsAt - now <= windowMs) {
        known.repeated += 1;
        return;
      }
      kinds.set(key, { endsAt: now + windowMs, repeated: 0 });
      log.info({ event, reason, network, repeated: known?.repeated ?? 0 }, 'call refused');
    },
  };
};
