/**
 * Batch size of queries that read a whole list: by default the server returns 101 documents first, and each further
 * batch costs a round trip. A list above 16 MB still comes in several batches.
 */
export const wholeListBatchSize = 10_000;
