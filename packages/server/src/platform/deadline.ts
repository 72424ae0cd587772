/** Resolves with the work, whatever becomes of it, or after `withinMs` without it. Leaves no timer behind. */
export const settledWithin = (work: Promise<unknown>, withinMs: number): Promise<void> =>
  new Promise((resolve) => {
    const deadline = setTimeout(resolve, withinMs);
    const end = () => {
      clearTimeout(deadline);
      resolve();
    };
    work.then(end, end);
  });
