/** The host's random numbers, replaced: tfjs's initialisers draw from Math.random and take no other source. */

/** Runs `work` with `random` in the place of Math.random. Nothing else may run in this thread meanwhile. */
export async function withRandom<T>(random: () => number, work: () => T | Promise<T>): Promise<T> {
  const host = Math.random;
  Math.random = random;
  try {
    return await work();
  } finally {
    Math.random = host;
  }
}
