#!/bin/sh
# The main path through a real nginx, configured as this directory has it, to one process per service.
if ! command -v nginx >/dev/null || ! command -v setpriv >/dev/null; then
  echo 'SKIPPED: nginx (Debian: nginx-light) and setpriv are not on PATH, so the proxy configuration was not tried.'
  exit 0
fi
export PUFFTRACK_TEST_TARGETS=split PUFFTRACK_TEST_PROXY=nginx
exec npm test -- --forceExit --testTimeout=120000 packages/testkit/test/main-path.test.ts
