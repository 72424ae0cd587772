/**
 * An instant with the phone's own offset: `2026-11-25T00:30:00.000-07:00`. The server reads the local day and hour from
 * this offset where it differs from the zone's rule by at most 2 h, because the phone's zone data may be newer; a
 * timestamp in `Z` leaves both to the server's zone rules.
 *
 * @param offsetMinutes minutes ahead of UTC; by default the device's offset at that instant.
 */
export const timestampWithOffset = (at: Date, offsetMinutes = -at.getTimezoneOffset()): string => {
  // A zone's offset has seconds only before 1972.
  const offset = Math.round(offsetMinutes);
  const local = new Date(at.getTime() + offset * 60_000).toISOString().slice(0, -1);
  const size = Math.abs(offset);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
};
