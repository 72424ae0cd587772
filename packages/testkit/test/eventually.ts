const withinMs = 10_000;

/** Asks until it is so, for 10 s at the most. */
export const eventually = async (isSo: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`it did not become so within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
