/** Ends what jest-global-setup.mjs started, with its data. */
export default async () => {
  await globalThis.pufftrackEndTestServers?.();
};
