import type { Collection } from 'mongodb';
import { Schema, type Connection } from 'mongoose';
import type { Cell, Figure, Product } from './platform-metrics.ts';

/** No key of a person stands here, and no cell under 20 people (figures.ts). */
interface FigureDoc {
  /** `hour:2026-10-21T10` or `day:2026-10-21`, of UTC. */
  _id: string;
  period: 'hour' | 'day';
  from: Date;
  all: Cell | null;
  byProduct: Partial<Record<Product, Cell>> | null;
  /** True once nothing that still arrives can change it. */
  final: boolean;
}

const figureSchema = new Schema<FigureDoc>(
  {
    _id: { type: String, required: true },
    period: { type: String, enum: ['hour', 'day'], required: true },
    from: { type: Date, required: true },
    all: { type: Schema.Types.Mixed, default: null },
    byProduct: { type: Schema.Types.Mixed, default: null },
    final: { type: Boolean, required: true },
  },
  { collection: 'platformfigures', versionKey: false },
);

export interface FigureStore {
  ensureIndexes(): Promise<void>;
  /** Over what stands there for the same periods. */
  save(figures: readonly Figure[], final: boolean): Promise<void>;
}

export const createFigureStore = (connection: Connection): FigureStore => {
  const model = connection.model('PlatformFigure', figureSchema);
  const docs = model.collection as unknown as Collection<FigureDoc>;
  return {
    async ensureIndexes() {
      await model.createCollection();
    },
    async save(figures, final) {
      await docs.bulkWrite(
        figures.map(({ period, from, all, byProduct }) => ({
          replaceOne: {
            filter: { _id: idOf(period, from) },
            replacement: { period, from: new Date(from), all, byProduct, final },
            upsert: true,
          },
        })),
        { ordered: false },
      );
    },
  };
};

const idOf = (period: Figure['period'], from: number): string =>
  `${period}:${new Date(from).toISOString().slice(0, period === 'hour' ? 13 : 10)}`;
