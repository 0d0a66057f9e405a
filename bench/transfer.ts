/** MB/s of a replica's state on its way from one process of this host to another, over loopback gRPC: the first pull and later ones. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { serverOptions } from "../proto/wire.ts";
import { processEnvironment } from "../worker/engine/environment.ts";
import { PeerClient } from "../worker/exchange/peerclient.ts";
import { PeerServer } from "../worker/exchange/peerserver.ts";

/** As of a student of 16 million parameters with Adam: weights and two moments. */
const bytes = 3 * 4 * 16_000_000;
const pulls = 6;

switch (process.argv[2]) {
  case "source":
    serve();
    break;
  case "joiner":
    await measure();
    break;
  default:
    // As whoever starts workers does.
    fork(fileURLToPath(import.meta.url), ["joiner"], { env: { ...process.env, ...processEnvironment() } });
}

/** A child: publishes the state again for each message, and answers with its address. */
function serve(): void {
  const note = (line: string) => process.stderr.write(`${line}\n`);
  const peers = new PeerServer({ host: "another host", files: null, note });
  const grpc = new Server(serverOptions);
  peers.addTo(grpc);
  const state = new Uint8Array(bytes).map((_, index) => index);
  process.on("disconnect", () => process.exit());
  process.on("message", (step: number) => {
    peers.publish({ term: 1, kind: "state", step, slice: 0, payload: [state] });
    process.send!(step);
  });
  grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.send!(`127.0.0.1:${port}`);
  });
}

async function measure(): Promise<void> {
  const source = fork(fileURLToPath(import.meta.url), ["source"]);
  const [address] = (await once(source, "message")) as [string];
  const client = new PeerClient("this host");
  const rates: number[] = [];
  for (let step = 0; step < pulls; step++) {
    source.send(step);
    await once(source, "message");
    const into = new Uint8Array(bytes);
    const started = performance.now();
    const wanted = { term: 1, kind: "state" as const, step, slice: 0, deadlineMs: 60_000 };
    await client.pull({ worker: "source", address }, wanted, into, new AbortController().signal);
    rates.push(Math.round(bytes / 1e3 / (performance.now() - started)));
  }
  client.close();
  source.disconnect();
  process.stdout.write(`${JSON.stringify({ bench: "transfer", bytes, megabytesPerSecond: rates })}\n`);
}
