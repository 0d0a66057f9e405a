/** Whether an address is this machine's alone. A name that must be looked up is not: who answers may lie. */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (plain === "localhost" || plain === "::1") return true;
  const [, mapped = plain] = /^::ffff:(.*)$/.exec(plain) ?? [];
  return /^127(\.\d{1,3}){3}$/.test(mapped);
}

/** @param address host:port */
export function isLoopbackAddress(address: string): boolean {
  return isLoopback(address.replace(/:\d+$/, ""));
}
