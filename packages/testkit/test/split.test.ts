// @not-split: splits the targets itself
/**
 * The same tests on one process per service (`PUFFTRACK_TEST_TARGETS=split`), of those that cross most borders between
 * services; `npm run test:split` runs all of them so.
 */
process.env['PUFFTRACK_TEST_TARGETS'] = 'split';
await import('./main-path.test.ts');
