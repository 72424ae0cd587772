import { expect, it } from '@jest/globals';
import { createLogger } from '../telemetry/logger.ts';
import { createRefusalLog } from './refusal-log.ts';

it('a flood is one line a minute for each kind and network, with the number that it stands for', () => {
  let now = 0;
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    level: 'info',
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const floods = createRefusalLog({ clock: { now: () => now }, log });
  for (let sent = 0; sent < 10_000; sent++) floods.note('socket.closed', 'binary', '203.0.113.0/24');
  floods.note('socket.closed', 'too-much', '203.0.113.0/24');
  floods.note('socket.closed', 'binary', '198.51.100.0/24');
  now = 60_000;
  floods.note('socket.closed', 'binary', '203.0.113.0/24');
  expect(lines.map(({ reason, network, repeated }) => [reason, network, repeated])).toEqual([
    ['binary', '203.0.113.0/24', 0],
    ['too-much', '203.0.113.0/24', 0],
    ['binary', '198.51.100.0/24', 0],
    ['binary', '203.0.113.0/24', 9_999],
  ]);
});
