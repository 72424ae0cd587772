/**
 * Words that this code base does not use, each with the reason and what to write. A pattern is matched, as whole words and
 * in any case, against text in which `camelCase` and `snake_case` names are split into words.
 */
export interface DeniedWord {
  pattern: string;
  instead: string;
  because: string;
}

export const deniedWords: readonly DeniedWord[] = [
  {
    pattern: 'whoever|whomever|somebody|someone|anybody|everybody|nobody',
    instead: 'the client, the caller, the recipient, the account owner, no user',
    because: 'a sentence names its subject',
  },
  {
    pattern: 'tell|tells|telling|told',
    instead: 'notify, publish, report, return',
    because: 'the verb of the trade says what happens',
  },
  {
    pattern: 'hear|hears|heard|hearing',
    instead: 'receive, subscribe, on <event>',
    because: 'the verb of the trade says what happens',
  },
  {
    pattern: 'ask|asks|asked|asking',
    instead: 'request, query, call, read; friend request',
    because: 'the verb of the trade says what happens',
  },
  {
    pattern: 'look|looks|looked|looking',
    instead: 'read, check, poll, query',
    because: 'the verb of the trade says what happens',
  },
  { pattern: 'news', instead: 'event, notification, change', because: 'the term of the field is exact' },
  { pattern: 'anew', instead: 'again, new', because: 'plain present-day English' },
  {
    pattern: 'lets? in|letting in',
    instead: 'admit, accept, authenticate',
    because: 'the verb of the trade says what happens',
  },
  {
    pattern: 'comes? back|came back|coming back|goes? on|goes? back|went back',
    instead: 'retry, reconnect, return; continue',
    because: 'the verb of the trade says what happens',
  },
  {
    pattern: 'mend|mends|mended|mending',
    instead: 'repair, recover, fix',
    because: 'the verb of the trade says what happens',
  },
  {
    pattern: 'settle|settles|settling',
    instead: 'drain, refresh, compute, handle the outcome; a day or a run is settled',
    because: 'it had seven meanings',
  },
  {
    pattern: 'turn|turns',
    instead: 'mutex, runExclusive, version, rollover; become',
    because: 'it had seven meanings',
  },
  {
    pattern: 'words?',
    instead: 'consent event, check-in, term, text',
    because: 'a record has the name of its kind',
  },
  { pattern: 'holes?', instead: 'sequence gap', because: 'the term of the field is exact' },
  {
    pattern: 'insist|insists|remark|remarks|impatience|impatient|doors?|newest past',
    instead: 'retryOnConflict, markDirty, forceCloseTimer, accepting, readBarrier',
    because: 'a name is understood without a glossary',
  },
  {
    pattern: 'judge|judges|judged|judging|judgements?|standings?',
    instead: 'evaluate, evaluation; score',
    because: 'the term of the field is exact',
  },
  {
    pattern: 'timely|facts?',
    instead: 'onTime, on time; aggregate',
    because: 'the term of the field is exact',
  },
  {
    pattern: 'sweep|sweeps|sweeping|swept',
    instead: 'cleanup pass, erasure pass',
    because: 'the term of the field is exact',
  },
  {
    pattern: 'befriend|befriends|befriended|befriending|sharers?',
    instead: 'create a friendship; owner',
    because: 'the term of the field is exact',
  },
  { pattern: 'guess|guesses|guessers?', instead: 'failed authentication', because: 'it names a motive' },
];
