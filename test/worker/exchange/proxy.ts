/** A fault between two peers: passes pulls on to the real one and changes what comes back. */
import { Server, type ServerDuplexStream } from "@grpc/grpc-js";
import type { PullRequest__Output } from "../../../proto/gen/limbeck/v1/PullRequest.ts";
import { peerChannel, peerService, rawPull, serverOptions } from "../../../proto/wire.ts";
import type { PeerAddress } from "../../../worker/exchange/peerclient.ts";
import { listen } from "./cluster.ts";

/** What becomes of a message (0 is the header) of a pull (counted from 1); null: it is lost. */
export type Spoil = (message: Buffer, at: { readonly index: number; readonly pull: number }) => Buffer | null;

export async function spoilingProxy(
  target: PeerAddress,
  spoil: Spoil,
): Promise<{ member: PeerAddress; pulls(): number; close(): void }> {
  const channel = peerChannel(target.address);
  let pulls = 0;
  const server = new Server(serverOptions);
  server.addService(peerService, {
    pull: (call: ServerDuplexStream<PullRequest__Output, Uint8Array>) => {
      let index = 0;
      const inner = channel.makeBidiStreamRequest(rawPull.path, rawPull.requestSerialize, rawPull.responseDeserialize);
      call.on("data", (request) => {
        pulls += 1;
        inner.write(request);
      });
      call.on("end", () => inner.end());
      inner.on("data", (message: Buffer) => {
        const isEnd = message.byteLength === 0;
        const passed = isEnd ? message : spoil(message, { index: index++, pull: pulls });
        if (isEnd) index = 0;
        if (passed) call.write(passed);
      });
      inner.on("end", () => call.end());
      inner.on("error", () => call.destroy());
      call.on("cancelled", () => inner.cancel());
    },
  });
  const address = await listen(server);
  const close = () => {
    channel.close();
    server.forceShutdown();
  };
  return { member: { worker: target.worker, address }, pulls: () => pulls, close };
}
