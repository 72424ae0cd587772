const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

/** Of ascending values; the smallest that `share` of them do not exceed. */
export const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.ceil(ascending.length * share) - 1)] ?? NaN;

export const median = (values: readonly number[]): number => percentile(sorted(values), 0.5);

/** `median (lowest-highest)`. */
export const spread = (values: readonly number[], digits: number): string => {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)] as const;
  return `${median(values).toFixed(digits)} (${lowest.toFixed(digits)}-${highest.toFixed(digits)})`;
};

/** A Markdown table. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
