/** How many connections a port takes: a process that runs out of files could not write its journal either. */
import { readFileSync } from "node:fs";
import type { Server, Socket } from "node:net";

export interface ConnectionLimits {
  readonly connections: number;
  /** Of them, those that have not said a byte. */
  readonly silent: number;
}

/** @param server of TCP, TLS or HTTP/2 */
export function boundConnections(server: Server, limits: ConnectionLimits = usualConnections()): void {
  server.maxConnections = limits.connections;
  /** The oldest first, and some that have spoken since. */
  const silent = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
    if (silent.size > limits.silent) makeRoom(silent);
  });
}

/** Who means to speak does so at once: the one that has been silent for longest gives its place up. */
function makeRoom(silent: Set<Socket>): void {
  for (const socket of silent) {
    silent.delete(socket);
    if (socket.bytesRead > 0) continue;
    socket.destroy();
    return;
  }
}

const most = 10_000;

/** At most half of the files that this process may open. */
function usualConnections(): ConnectionLimits {
  const connections = Math.min(most, Math.floor(openFiles() / 2));
  return { connections, silent: Math.floor(connections / 8) };
}

/** Where the system does not tell, as many as Linux usually gives. */
function openFiles(): number {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft ?? 1_024);
  } catch {
    return 1_024;
  }
}
