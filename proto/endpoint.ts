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

/** @param flag the option of the command line that chooses another port */
export function portError({ host, port }: Endpoint, flag: string, cause: Error): LimbeckError {
  const isBusy = cause.message.includes("EADDRINUSE");
  const message = isBusy
    ? `port ${port} on ${host} is busy: another process listens there; choose another with ${flag}`
    : `port ${port} on ${host} cannot be listened on: ${cause.message}; choose another with ${flag}`;
  return new LimbeckError("unavailable", message, { cause });
}
