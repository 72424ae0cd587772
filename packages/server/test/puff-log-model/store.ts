import type { Random } from './random.ts';

/** What the database holds of one person, and how it can lose the youngest part of it. */

export interface Values {
  date: number;
  quantity: number;
  deleted: boolean;
}

export type EntryKind = 'edit' | 'delete' | 'restore' | 'undo' | 'deleteAll';

export interface Entry {
  kind: EntryKind;
  target: string;
  before: Values;
  after: Values;
}

export interface LogRecord {
  id: string;
  rev: number;
  /** As first written; only the judge reads it. */
  original: Values | undefined;
  /** With the entries applied so far; undefined for empty records and entries. */
  now: Values | undefined;
  editRev: number;
  entry: Entry | undefined;
}

export interface Sum {
  quantity: number;
  live: number;
}

export interface MonthRow {
  rev: number;
  dates: ReadonlyMap<number, Sum>;
}

export interface PersonRow {
  rev: number;
  total: Sum;
  clearedRev: number;
  /** Month -> the rev that its row had at least. */
  months: ReadonlyMap<number, number>;
}

/** The database at one moment. */
export class View {
  readonly log = new Map<string, LogRecord>();
  readonly idOf = new Map<number, string>();
  readonly months = new Map<number, MonthRow>();
  person: PersonRow | undefined;

  after(rev: number): LogRecord[] {
    return [...this.log.values()].filter((record) => record.rev > rev).sort((a, b) => a.rev - b.rev);
  }

  get head(): number {
    return Math.max(0, ...this.idOf.keys());
  }
}

export type InsertResult = 'in' | 'same id' | 'rev taken';
type Change = (view: View) => void;

const replay = (changes: readonly Change[]): View => {
  const view = new View();
  for (const change of changes) change(view);
  return view;
};

/** A replica set: writes are applied at once, held by a majority later, and lost until then if the primary changes. */
export class Store {
  /** Called for each event of a traced run. */
  note: ((what: string) => void) | undefined;
  applied = new View();
  private committed = new View();
  private readonly oplog: Change[] = [];
  private durableLength = 0;
  /** A new primary does not know at once how much a majority holds: its majority reads may show an older past. */
  private stale: { view: View; length: number } | undefined;

  get length(): number {
    return this.oplog.length;
  }

  get durable(): number {
    return this.durableLength;
  }

  get isBehind(): boolean {
    return this.durableLength < this.oplog.length || this.stale !== undefined;
  }

  commit(count: number): void {
    for (let i = 0; i < count && this.durableLength < this.oplog.length; i++) {
      this.oplog[this.durableLength]?.(this.committed);
      this.durableLength++;
    }
    this.stale = undefined;
  }

  failover(random: Random): void {
    this.oplog.length = this.durableLength + random.below(this.oplog.length - this.durableLength + 1);
    this.applied = replay(this.oplog);
    const length = Math.max(0, this.durableLength - random.below(6));
    this.stale = { view: replay(this.oplog.slice(0, length)), length };
  }

  /** A majority read by someone who has already seen `seen` changes. */
  majority(seen: number): { view: View; length: number } {
    if (this.stale !== undefined && this.stale.length >= seen) return this.stale;
    return { view: this.committed, length: this.durableLength };
  }

  /** Where both keys clash the server names `_id`. */
  insert(record: LogRecord): InsertResult {
    if (this.applied.log.has(record.id)) return 'same id';
    if (this.applied.idOf.has(record.rev)) return 'rev taken';
    this.change(
      () => `${record.id} at ${record.rev} ${JSON.stringify(record.entry ?? record.now ?? '')}`,
      (view) => {
        view.log.set(record.id, record);
        view.idOf.set(record.rev, record.id);
      },
    );
    return 'in';
  }

  applyEntry({ target, after }: Entry, rev: number, guarded: boolean): void {
    const record = this.applied.log.get(target);
    if (record === undefined || (guarded && record.editRev >= rev)) return;
    const edited = { ...record, now: after, editRev: rev };
    this.change(
      () => `entry ${rev} applied to ${target}`,
      (view) => view.log.set(target, edited),
    );
  }

  putMonth(month: number, row: MonthRow, guarded: boolean): void {
    if (guarded && (this.applied.months.get(month)?.rev ?? -1) >= row.rev) return;
    this.change(
      () => `row of month ${month} at ${row.rev}`,
      (view) => view.months.set(month, row),
    );
  }

  putPerson(row: PersonRow, guarded: boolean): 'kept' | 'put' | 'set back' {
    const before = this.applied.person?.rev ?? -1;
    if (guarded && before >= row.rev) return 'kept';
    this.change(
      () => `person row at ${row.rev} [${[...row.months].join(' ')}]`,
      (view) => {
        view.person = row;
      },
    );
    return before > row.rev ? 'set back' : 'put';
  }

  dropMonth(month: number): void {
    this.change(
      () => `month ${month} dropped`,
      (view) => view.months.delete(month),
    );
  }

  dropPerson(): void {
    this.change(
      () => 'person row dropped',
      (view) => {
        view.person = undefined;
      },
    );
  }

  private change(what: () => string, change: Change): void {
    this.note?.(`#${this.oplog.length + 1}: ${what()}`);
    this.oplog.push(change);
    change(this.applied);
  }
}
