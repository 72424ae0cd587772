/** An answer of another service: as untrusted as any request (API-10). */
export interface TextAnswer {
  readonly status: number;
  readonly text: string;
  readonly date: string | null;
}

/**
 * Calls another service with a bound on time and size, and follows no redirect (API-7). Throws where no whole answer
 * arrives; any status is an answer.
 */
export const fetchText = async (
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string | URLSearchParams },
  bounds: { timeoutMs: number; maxBytes: number },
): Promise<TextAnswer> => {
  const response = await fetch(url, {
    ...init,
    redirect: 'error',
    signal: AbortSignal.timeout(bounds.timeoutMs),
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > bounds.maxBytes)
      throw new Error(`${new URL(url).host} answered more than ${bounds.maxBytes} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.status,
    text: Buffer.concat(chunks).toString('utf8'),
    date: response.headers.get('date'),
  };
};
