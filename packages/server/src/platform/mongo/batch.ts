/**
 * For lists that are wanted whole: the server answers 101 documents at first, and each further part costs a call. What
 * does not fit into one message comes in parts all the same.
 */
export const wholeBatch = 10_000;
