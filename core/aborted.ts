/** For races: rejects with the signal's reason when it aborts, at once where it has. Never an unhandled rejection. */
export function aborted(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  rejected.catch(() => {});
  return rejected;
}
