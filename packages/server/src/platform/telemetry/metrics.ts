import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Values come from closed lists (route templates, problem codes, names of jobs): an id or anything else that a client
 * sends would tell of a person, and be a time series for each of them (LOG-1).
 */
export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** Counts one more, or `by` more. */
export type Count<Label extends string> = (labels: Labels<Label>, by?: number) => void;
/** Takes the value of a gauge, or one more value of a histogram. */
export type Measure<Label extends string> = (labels: Labels<Label>, value: number) => void;

interface Family<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

/** The figures of one app. Each part declares its own families; two apps in one process share nothing. */
export interface Metrics {
  counter<Label extends string = never>(family: Family<Label>): Count<Label>;
  gauge<Label extends string = never>(family: Family<Label>): Measure<Label>;
  /** A gauge that is read when somebody asks. */
  watched(family: Family<never>, read: () => number): void;
  histogram<Label extends string = never>(
    family: Family<Label> & { readonly buckets: readonly number[] },
  ): Measure<Label>;
  /** CPU, memory, garbage collection and event-loop lag of the process. */
  watchProcess(): void;
  readonly contentType: string;
  /** The text format of Prometheus. */
  text(): Promise<string>;
}

/** Seconds; the answers to puffs stand around 2 ms. */
export const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

export const createMetrics = (): Metrics => {
  const registry = new Registry();
  const optionsOf = <Label extends string>({ name, help, labels = [] }: Family<Label>) => ({
    name: `pufftrack_${name}`,
    help,
    labelNames: labels,
    registers: [registry],
  });

  return {
    counter(family) {
      const counter = new Counter(optionsOf(family));
      return (labels, by = 1) => {
        counter.inc(labels, by);
      };
    },
    gauge(family) {
      const gauge = new Gauge(optionsOf(family));
      return (labels, value) => {
        gauge.set(labels, value);
      };
    },
    watched(family, read) {
      new Gauge({
        ...optionsOf(family),
        collect() {
          this.set(read());
        },
      });
    },
    histogram(family) {
      const histogram = new Histogram({ ...optionsOf(family), buckets: [...family.buckets] });
      return (labels, value) => {
        histogram.observe(labels, value);
      };
    },
    watchProcess() {
      collectDefaultMetrics({ register: registry });
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
};
