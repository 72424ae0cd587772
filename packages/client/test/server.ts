import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { problemStatus, type ProblemCode } from '@pufftrack/contract';

export interface SeenCall {
  method: string;
  url: string;
  token: string | undefined;
  body: unknown;
}

/** `lost`: the server did its work and the answer never arrives. */
export type ScriptedAnswer = { status: number; body?: unknown; headers?: Record<string, string> } | 'lost';

export const problem = (code: ProblemCode, headers: Record<string, string> = {}): ScriptedAnswer => ({
  status: problemStatus[code],
  body: {
    type: 'about:blank',
    title: code,
    status: problemStatus[code],
    code,
    detail: code,
    instance: 'urn:uuid:r',
    requestId: 'r',
  },
  headers,
});

/** A real HTTP server on a free port that answers by a function, for the tests of this package alone. */
export const startTestServer = async (
  answer: (call: SeenCall) => ScriptedAnswer | Promise<ScriptedAnswer>,
) => {
  const calls: SeenCall[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const call: SeenCall = {
        method: request.method ?? '',
        url: request.url ?? '',
        token: request.headers.authorization?.replace('Bearer ', ''),
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
      calls.push(call);
      const given = await answer(call);
      if (given === 'lost') {
        request.socket.destroy();
        return;
      }
      response.writeHead(given.status, given.headers);
      response.end(
        typeof given.body === 'string' || given.body === undefined ? given.body : JSON.stringify(given.body),
      );
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    calls,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
