/** Where a server listens, and why it cannot. */
import { LimbeckError } from "../core/errors.ts";

export interface Endpoint {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Of host:port, without brackets. */
export function hostOf(address: string): string {
  return address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** All addresses of a machine: where it listens, and nowhere that others can be told. */
export function isEverywhere(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** host:port as others can be told it: what listens on all addresses is reached at `host`, too. */
export function reachedAt(address: string, host: string): string {
  if (!isEverywhere(hostOf(address))) return address;
  return hostPort(host, Number(address.slice(address.lastIndexOf(":") + 1)));
}

/** @param flag the option of the command line that chooses another port */
export function portError({ host, port }: Endpoint, flag: string, cause: Error): LimbeckError {
  const isBusy = cause.message.includes("EADDRINUSE");
  const message = isBusy
    ? `port ${port} on ${host} is busy: another process listens there; choose another with ${flag}`
    : `port ${port} on ${host} cannot be listened on: ${cause.message}; choose another with ${flag}`;
  return new LimbeckError("unavailable", message, { cause });
}
