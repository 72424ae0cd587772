import type { EndpointName, Endpoints } from '@pufftrack/contract';
import type { z } from 'zod';

type In<T> = T extends z.ZodType ? z.input<T> : undefined;
type Out<T> = T extends z.ZodType ? z.output<T> : undefined;
type Responses<Name extends EndpointName> = Endpoints[Name]['responses'];
type BodyOf<Name extends EndpointName> = Endpoints[Name] extends { body: infer Body } ? In<Body> : undefined;

/** What the OpenAPI document says of an operation beyond its schemas. The test suite validates the examples. */
export interface OperationText<Name extends EndpointName> {
  /** The rules that a caller has to know. */
  description: string;
  request?: BodyOf<Name>;
  /** One sentence for each declared status. */
  answers: { [Status in keyof Responses<Name>]: string };
  response?: { [Status in keyof Responses<Name>]?: Out<Responses<Name>[Status]> };
}

export type OperationTexts<Name extends EndpointName> = { [N in Name]: OperationText<N> };
