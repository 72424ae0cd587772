import type { Document, Filter } from 'mongodb';
import type { Connection } from 'mongoose';
import { scanLimit } from '../../../platform/mongo/time-limits.ts';
import { sealContexts } from './sealed.ts';

/** A sealed value in a row of auth. */
export interface SealedRow {
  /** Primary key for `replace`. */
  readonly id: unknown;
  readonly sealed: string;
  readonly context: string;
}

/** All sealed values of one kind. */
export interface SealedRows {
  readonly kind: string;
  list(): AsyncIterable<SealedRow>;
  /** False if the row was deleted, or its value replaced. */
  replace(row: SealedRow, sealed: string, keyId: string): Promise<boolean>;
}

interface Place {
  readonly kind: string;
  readonly collection: string;
  readonly field: string;
  /** The field of the key id, for rows that have one. */
  readonly keyIdField?: string;
  readonly contextOf: (row: Document) => string;
}

type OfApple = Parameters<typeof sealContexts.appleRefreshToken>[0];

const places: readonly Place[] = [
  {
    kind: 'appleTokens',
    collection: 'applelinks',
    field: 'refreshToken.sealed',
    keyIdField: 'refreshToken.keyId',
    contextOf: ({ userId, refreshToken }) =>
      sealContexts.appleRefreshToken({ ...(refreshToken as OfApple), userId: String(userId) }),
  },
  {
    kind: 'revocations',
    collection: 'applerevocations',
    field: 'payload.sealed',
    keyIdField: 'payload.keyId',
    contextOf: ({ _id }) => sealContexts.appleRevocation(String(_id)),
  },
  {
    kind: 'signingKeys',
    collection: 'signingkeys',
    field: 'sealedKey',
    contextOf: ({ _id }) => sealContexts.signingKey(String(_id)),
  },
  {
    kind: 'sessions',
    collection: 'sessions',
    field: 'sealedKey',
    contextOf: ({ _id }) => sealContexts.session(String(_id)),
  },
];

export const createSealedStore = (connection: Connection): readonly SealedRows[] =>
  places.map(({ kind, collection, field, keyIdField, contextOf }) => {
    // By the driver, because the rows have four schemas.
    const rows = connection.collection<Document>(collection);
    return {
      kind,
      async *list() {
        for await (const row of rows.find({ [field]: { $type: 'string' } }, scanLimit).sort({ _id: 1 }))
          yield { id: row._id, sealed: valueAt(row, field), context: contextOf(row) };
      },
      async replace({ id, sealed: before }, sealed, keyId) {
        const same: Filter<Document> = { _id: id as never, [field]: before };
        const { modifiedCount } = await rows.updateOne(same, {
          $set: { [field]: sealed, ...(keyIdField !== undefined && { [keyIdField]: keyId }) },
        });
        return modifiedCount === 1;
      },
    };
  });

const valueAt = (row: Document, field: string): string =>
  String(field.split('.').reduce<unknown>((value, name) => (value as Document)[name], row));
