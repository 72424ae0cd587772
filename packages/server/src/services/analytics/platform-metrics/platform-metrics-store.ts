import { Schema, type Connection } from 'mongoose';
import { collectionOf } from '../../../platform/mongo/collection.ts';
import type { Cell, PlatformMetric, Product } from './platform-metrics.ts';

/** Contains no key of a person and no cell under 20 people (platform-metrics.ts). */
interface PlatformMetricDoc {
  /** `hour:2026-10-21T10` or `day:2026-10-21`, of UTC. */
  _id: string;
  period: 'hour' | 'day';
  from: Date;
  all: Cell | null;
  byProduct: Partial<Record<Product, Cell>> | null;
  /** True once late puffs cannot change it any more. */
  final: boolean;
}

const platformMetricSchema = new Schema<PlatformMetricDoc>({
  _id: { type: String, required: true },
  period: { type: String, enum: ['hour', 'day'], required: true },
  from: { type: Date, required: true },
  all: { type: Schema.Types.Mixed, default: null },
  byProduct: { type: Schema.Types.Mixed, default: null },
  final: { type: Boolean, required: true },
});

export interface PlatformMetricsStore {
  ensureIndexes(): Promise<void>;
  /** Replaces the rows of the same periods. */
  save(metrics: readonly PlatformMetric[], final: boolean): Promise<void>;
}

export const createPlatformMetricsStore = (connection: Connection): PlatformMetricsStore => {
  const { collection: docs, ensureIndexes } = collectionOf(
    connection,
    'platformfigures',
    platformMetricSchema,
  );
  return {
    ensureIndexes,
    async save(metrics, final) {
      await docs.bulkWrite(
        metrics.map(({ period, from, all, byProduct }) => ({
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

const idOf = (period: PlatformMetric['period'], from: number): string =>
  `${period}:${new Date(from).toISOString().slice(0, period === 'hour' ? 13 : 10)}`;
