import {
  BatchPuffInput,
  clientEventAnswers,
  clientEvents,
  persistentEvents,
  Problem,
  serverEvents,
} from '@pufftrack/contract';
import { z } from 'zod';
import { clientEventExamples, serverEventExamples } from './event-examples.ts';
import { withNullableScalars } from './nullable.ts';

type Json = Record<string, unknown>;

/** Schemas with a name, collected from all messages. */
const createSchemas = () => {
  const named: Record<string, unknown> = {};

  /** The schema as JSON Schema; what has a name stands among the components once for each direction. */
  const add = (schema: z.ZodType, io: 'input' | 'output'): unknown => {
    const nameOf = (id: string) => (io === 'output' || id.endsWith('Input') ? id : `${id}Input`);
    const refOf = (ref: string) =>
      ref.startsWith('#/$defs/') ? `#/components/schemas/${nameOf(ref.slice('#/$defs/'.length))}` : ref;
    const moved = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(moved);
      if (typeof value !== 'object' || value === null) return value;
      const { override = {}, ...rest }: Json = { ...value };
      delete rest['$schema'];
      delete rest['$defs'];
      // A text is the name of the schema; a schema is a property that is called so.
      if (typeof rest['id'] === 'string') delete rest['id'];
      return Object.fromEntries(
        // What the contract has zod-openapi say in place of the schema.
        Object.entries({ ...rest, ...(override as Json) }).map(([key, inner]) => [
          key,
          key === '$ref' && typeof inner === 'string' ? refOf(inner) : moved(inner),
        ]),
      );
    };
    const { $defs = {}, ...root } = z.toJSONSchema(schema, { io, reused: 'inline' }) as Json & {
      $defs?: Json;
    };
    for (const [id, inner] of Object.entries($defs)) named[nameOf(id)] = moved(inner);
    return moved(root);
  };
  return { named, add };
};

const socket = { $ref: '#/channels/socket' };
const messageOf = (name: string) => ({ $ref: `#/channels/socket/messages/${name}` });

/** AsyncAPI 3 of every socket event in the contract, as the server sends and receives them. */
export const asyncApiDocument = (): unknown => {
  const { named, add } = createSchemas();
  const messages: Record<string, Json> = {};
  const operations: Record<string, Json> = {};
  // Named by the batch, whose items are checked one by one and so have no schema of their own in it.
  add(z.array(BatchPuffInput), 'input');

  for (const [name, schema] of Object.entries<z.ZodType>(serverEvents)) {
    messages[name] = {
      name,
      summary: schema.meta()?.description,
      payload: add(schema, 'output'),
      examples: [{ payload: serverEventExamples[name as keyof typeof serverEvents] }],
      ...((persistentEvents as readonly string[]).includes(name) && { tags: [{ name: 'persistent' }] }),
    };
    operations[`send-${name}`] = { action: 'send', channel: socket, messages: [messageOf(name)] };
  }
  for (const [name, schema] of Object.entries<z.ZodType>(clientEvents)) {
    const answer = clientEventAnswers[name as keyof typeof clientEvents];
    messages[name] = {
      name,
      summary: schema.meta()?.description,
      payload: add(schema, 'input'),
      examples: [{ payload: clientEventExamples[name as keyof typeof clientEvents] }],
    };
    messages[`${name}-ack`] = {
      name: `${name}-ack`,
      summary: `The acknowledgement of ${name}: the answer of the same REST call, or the problem.`,
      payload: add(z.union([answer, z.object({ error: Problem })]), 'output'),
    };
    operations[`receive-${name}`] = {
      action: 'receive',
      channel: socket,
      messages: [messageOf(name)],
      reply: { channel: socket, messages: [messageOf(`${name}-ack`)] },
    };
  }

  return withNullableScalars({
    asyncapi: '3.0.0',
    info: {
      title: 'PuffTrack sockets',
      version: '0.1.0',
      description:
        'Socket.IO 4 by WebSocket alone. Connect with `auth: {token, lastSeq?}`; a refusal is `connect_error` with the problem as its `data`. After `ready` come the persistent events after `lastSeq`, in order.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/socket.io',
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
      },
    },
    operations,
    components: {
      messages,
      schemas: Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  });
};
