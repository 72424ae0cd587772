import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { playDemo } from '../src/demo/play.ts';

describe('the demo', () => {
  it('plays its week to the end, with counts that equal the raw puffs', async () => {
    const uri = new URL(process.env['PUFFTRACK_TEST_MONGODB_URI'] ?? '');
    uri.pathname = `/test_${randomBytes(6).toString('hex')}`;
    const lines: string[] = [];
    expect(await playDemo(uri.href, (line) => lines.push(line))).toBe(true);
    expect(lines.filter((line) => line.startsWith('carla: '))).toEqual([
      expect.stringContaining(
        '16 this week, 26 in all, 1 days free; 23 records; 10-23: 3, 10-24: 5, 10-25: 2',
      ),
    ]);
  });
});
