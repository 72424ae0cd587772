import type { EndpointSpec } from '@pufftrack/contract';

/** An untyped `EndpointRequest`; callers go through the typed methods of the client. */
export interface LooseRequest {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

export interface WireRequest {
  readonly method: EndpointSpec['method'];
  /** Path with query, without the origin. */
  readonly path: string;
  readonly body: string | undefined;
}

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : JSON.stringify(value);

const fillPath = (template: string, params: Map<string, unknown>): string =>
  template.replace(/:([A-Za-z]+)/g, (_match, name: string) => {
    const value = params.get(name);
    const text = value === undefined || value === null ? '' : textOf(value);
    // URL parsers resolve `.` and `..` even when they are percent-encoded (WHATWG URL, "double-dot path
    // segment"), and an empty segment names the list: each would call another endpoint than this one.
    if (text === '' || text === '.' || text === '..') {
      throw new TypeError(`${template} needs a value for :${name}, got ${JSON.stringify(text)}`);
    }
    return encodeURIComponent(text);
  });

/** Fills an endpoint's template. Absent (undefined or null) query values are left out. */
export const buildRequest = (spec: EndpointSpec, request: LooseRequest): WireRequest => {
  const query = new URLSearchParams();
  for (const [name, value] of entriesOf(request.query)) {
    if (value !== undefined && value !== null) query.append(name, textOf(value));
  }
  const path = fillPath(spec.path, new Map(entriesOf(request.params)));
  return {
    method: spec.method,
    path: query.size > 0 ? `${path}?${query.toString()}` : path,
    body: request.body === undefined ? undefined : JSON.stringify(request.body),
  };
};
