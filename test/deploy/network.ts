/** Addresses of loopback that no other process of tests has, nor one that was broken off and left servers behind. */

let networks = 0;

/** "127.94.0": the first three numbers, others each time. */
export function ownNetwork(): string {
  const byProcess = 10 + (process.pid % 240);
  return `127.${byProcess}.${networks++}`;
}
