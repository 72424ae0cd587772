/** The rules of the write protocol (docs/architecture.md), each of which the model can leave out. */
export const allRules = {
  // the log
  /** No reader passes a gap: it is filled with an empty record first. */
  fillGaps: true,
  /** A lost reply is no success: nothing of the group is folded or acknowledged. */
  unknownIsNotSuccess: true,
  /** After a lost reply the person's state is dropped and loaded again. */
  dropStateOnUnknown: true,
  /** A record that another path of the same process folded already is not folded again. */
  skipFoldedRevs: true,
  /** The same id twice in a group goes in once. */
  dedupeInGroup: true,
  /** A group of several first queries which ids exist; the program skips this for up to 16 single puffs. */
  queryExistingIds: true,
  /** Writes answer only when a majority holds them. */
  waitForMajority: true,
  /** Reads that fold see only what a majority holds. */
  majorityReads: true,
  /** A process never reads a past older than what it has already seen (a causally consistent session). */
  causalReads: true,

  // entries
  /**
   * A retry of an edit carries the same `_id`. The program compares values instead: an edit that changes nothing is not
   * written, which is as good for clients, which name the puff.
   */
  operationIds: true,
  /** An entry's target is looked for within the fold only: above it there may be a gap that the entry would take. */
  targetWithinFold: true,
  /** A taken number means: fold and compute again. */
  recomputeEntry: true,
  /** An entry is applied to its record only over an older one. */
  guardEditRev: true,
  /** The state's rev moves only after the entry was applied. */
  awaitApply: true,
  /** The recount of a date looks at records up to the entry's rev. */
  recountUpToRev: true,
  /** The recount of a date looks at records above the last delete-all. */
  recountAboveDeleteAll: true,
  /** Totals move by the entry's own before and after, not by the difference of the recount. */
  totalsFromEntry: true,
  /** A fold that met an entry ends only with a question that finds nothing more. */
  rereadAfterEntry: true,
  /** A read of records first brings the fold up to date. */
  foldBeforeList: true,

  // checkpoints
  /** Rev and dirty months are copied in one tick. */
  copyInOneTick: true,
  /** The month rows are awaited before the person row is written. */
  monthsBeforePersonRow: true,
  /** A month row is written only over an older one. */
  guardMonthRow: true,
  /** The person row is written only over an older one. */
  guardPersonRow: true,
  /** A month stays dirty until its write succeeded. */
  dirtyUntilWritten: true,
  /** Checkpoint writes, too, are awaited from a majority. */
  rowsWaitForMajority: true,
  /** The person row names each month with the rev that its row had; an older row counts as missing. */
  namedMonthRevs: true,
  /** A named month that is missing: rebuild from the log. */
  missingMonthRebuilds: true,
  /** While the log is replayed, each month skips what its row covers. */
  monthSkipsCovered: true,
  /** Month rows that the person row does not name are not used. */
  onlyNamedMonths: true,
  /** A load reads the person row before the month rows. */
  personRowReadFirst: true,
  /** A load reads the log after the month rows. */
  logReadLast: true,
};

export type Rules = Record<keyof typeof allRules, boolean>;
