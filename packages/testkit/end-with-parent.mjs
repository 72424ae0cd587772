// Preloaded into the servers that tests start: when the test run is gone, so are they, with what they started.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
