/**
 * How long a body may keep arriving slowly. It starts with `stallMs` of credit, which passing time uses up and every
 * `bytesPerSecond` bytes restore by a second, up to `stallMs` again. So a body that arrives at that rate or faster
 * never runs out, and one that stops is cut after `stallMs`.
 *
 * The returned function takes a monotonic time in ms and the bytes read so far; false: cut the body.
 */
export const createTransferAllowance = (
  { bytesPerSecond, stallMs }: { bytesPerSecond: number; stallMs: number },
  start: { now: number; bytes: number },
): ((now: number, bytes: number) => boolean) => {
  let creditMs = stallMs;
  let last = start;
  return (now, bytes) => {
    const earnedMs = ((bytes - last.bytes) / bytesPerSecond) * 1_000;
    creditMs = Math.min(stallMs, creditMs - (now - last.now) + earnedMs);
    last = { now, bytes };
    return creditMs > 0;
  };
};
