import type { Collection, Document } from 'mongodb';
import type { Connection, Schema } from 'mongoose';

export interface OwnedCollection<Doc extends Document> {
  readonly collection: Collection<Doc>;
  /** Creates the collection and the indexes of its schema where they are missing. */
  ensureIndexes(): Promise<void>;
}

/**
 * The driver's collection of a schema (docs/adr/0029-one-database-api.md). The schema documents the stored shape and
 * declares the indexes; nothing casts, fills in defaults or validates on the way. Two stores may share a collection.
 */
export const collectionOf = <Doc extends Document>(
  connection: Connection,
  name: string,
  schema: Schema<Doc>,
): OwnedCollection<Doc> => {
  const model = connection.models[name] ?? connection.model(name, schema, name);
  return {
    collection: model.collection as unknown as Collection<Doc>,
    async ensureIndexes() {
      await model.createCollection();
      await model.createIndexes();
    },
  };
};
