/** A fault between two peers: passes pulls on to the real one and changes what comes back. */
import { Server, type ServerWritableStream } from "@grpc/grpc-js";
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
    pull: (call: ServerWritableStream<PullRequest__Output, Uint8Array>) => {
      const pull = ++pulls;
      let index = 0;
      const inner = channel.makeServerStreamRequest(
        rawPull.path,
        rawPull.requestSerialize,
        rawPull.responseDeserialize,
        call.request,
      );
      inner.on("data", (message: Buffer) => {
        const passed = spoil(message, { index: index++, pull });
        if (passed) call.write(passed);
      });
      inner.on("end", () => call.end());
      inner.on("error", (error) => call.emit("error", error));
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
