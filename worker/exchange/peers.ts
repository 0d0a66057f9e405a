/** What a worker exchanges payloads with, for as long as it lives. */
import type { Calling } from "../../proto/wire.ts";
import { hostId } from "./host.ts";
import { PeerClient } from "./peerclient.ts";
import { PeerServer } from "./peerserver.ts";
import { SharedFiles } from "./sharedfiles.ts";

export interface Peers {
  readonly server: PeerServer;
  readonly client: PeerClient;
}

/**
 * The peers' services of this process; the caller adds `server` to a grpc Server and closes both.
 * @param note told why payloads for this host do not go through shared memory, where they do not
 */
export function openPeers(note: (line: string) => void, calling: Calling): Peers & { readonly host: string } {
  const host = hostId();
  const files = openFiles(note);
  return { host, server: new PeerServer({ host, files, note }), client: new PeerClient(host, calling) };
}

function openFiles(note: (line: string) => void): SharedFiles | null {
  try {
    return SharedFiles.create();
  } catch (thrown) {
    note(`peers of this host get gradients as bytes, not through shared memory: ${(thrown as Error).message}`);
    return null;
  }
}
