/** Milliseconds per all-reduce between processes of this host: through shared memory, as bytes over loopback, and by mTLS. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server } from "@grpc/grpc-js";
import { createAuthority, createLeaf } from "../cli/authority.ts";
import { rootOf } from "../core/tree.ts";
import { loopbackOnly, openSecurity } from "../proto/security/security.ts";
import { serverOptions } from "../proto/wire.ts";
import { Arena } from "../worker/arena.ts";
import { Exchange, exchangeScratchFloats } from "../worker/exchange/exchange.ts";
import { hostId } from "../worker/exchange/host.ts";
import { PeerClient } from "../worker/exchange/peerclient.ts";
import { PeerServer } from "../worker/exchange/peerserver.ts";
import { SharedFiles } from "../worker/exchange/sharedfiles.ts";
import { loadKernels } from "../worker/kernels/kernels.ts";

type Path = "shm" | "bytes" | "tls";

interface Task {
  readonly rank: number;
  readonly addresses: readonly string[];
  readonly floats: number;
  readonly steps: number;
  readonly term: number;
}

const sizesMiB = [1, 5, 25];

function securedBy(folder: string) {
  const tls = { ca: join(folder, "ca.pem"), cert: join(folder, "own.pem"), key: join(folder, "own.key") };
  return { tls, insecure: false, cluster: "bench" };
}

/** A child: serves its address, then answers each task with the median of its steps. */
async function member(path: Path, folder: string): Promise<void> {
  const security = path === "tls" ? openSecurity(securedBy(folder), () => {}) : loopbackOnly;
  const host = path === "shm" ? hostId() : String(process.pid);
  const note = (line: string) => process.stderr.write(`${line}\n`);
  const peers = {
    server: new PeerServer({ host, files: SharedFiles.create(), note }),
    client: new PeerClient(host, { security }),
  };
  const grpc = new Server({ ...serverOptions, interceptors: [...security.guards] });
  peers.server.addTo(grpc);
  process.on("disconnect", () => {
    peers.server.close("the benchmark is over");
    process.exit();
  });
  process.on("message", async ({ rank, addresses, floats, steps, term }: Task) => {
    const leaves = addresses.length;
    const held = addresses.map((_, index) => [addresses.length === 1 ? rootOf(1) : { level: 0, index }]);
    const arena = Arena.create(4 * (2 * (floats + 16) + exchangeScratchFloats(floats, held, rank) + 16));
    const partial = arena.floats(floats).fill(1e-3);
    const exchange = new Exchange({
      ...peers,
      term,
      members: addresses.map((address, index) => ({ worker: `w${index}`, address })),
      rank,
      leaves,
      held,
      partials: [partial],
      sum: arena.floats(floats),
      scratch: arena.floats(exchangeScratchFloats(floats, held, rank)),
      kernels: loadKernels(arena.memory),
    });
    const times: number[] = [];
    for (let step = 0; step < steps; step++) {
      const started = performance.now();
      await exchange.allReduce(step, new Uint32Array(256), new AbortController().signal);
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    process.send!(times[steps >> 1]);
  });
  const { port } = await security.listen(grpc, { host: "127.0.0.1", port: 0 });
  process.send!(`127.0.0.1:${port}`);
}

async function answers<T>(children: readonly ChildProcess[]): Promise<T[]> {
  const signal = AbortSignal.timeout(60_000);
  return await Promise.all(children.map(async (child) => (await once(child, "message", { signal }))[0] as T));
}

async function measure(path: Path, ranks: number, folder: string): Promise<Record<string, number>> {
  const children = Array.from({ length: ranks }, () => fork(fileURLToPath(import.meta.url), ["member", path, folder]));
  const addresses = await answers<string>(children);
  const result: Record<string, number> = {};
  for (const [index, mebibytes] of sizesMiB.entries()) {
    const steps = Math.min(40, Math.ceil(200 / mebibytes));
    const answered = answers<number>(children);
    for (const [rank, child] of children.entries()) {
      child.send({ rank, addresses, floats: mebibytes * 2 ** 18, steps, term: index + 1 } satisfies Task);
    }
    result[`${mebibytes}MiB`] = Number(Math.max(...(await answered)).toFixed(2));
  }
  for (const child of children) child.disconnect();
  return result;
}

if (process.argv[2] === "member") {
  await member(process.argv[3] as Path, process.argv[4]!);
} else {
  const milliseconds: Record<string, Record<string, number>> = {};
  const folder = await mkdtemp(join(tmpdir(), "limbeck-bench-"));
  const validity = { fromMs: Date.now() - 60_000, untilMs: Date.now() + 3_600_000 };
  const ca = await createAuthority("bench", validity);
  const own = await createLeaf(ca, { cluster: "bench", roles: ["worker"], hosts: [], ...validity });
  const { ca: caFile, cert, key } = securedBy(folder).tls;
  await Promise.all([writeFile(caFile, ca.certificate), writeFile(cert, own.certificate), writeFile(key, own.key)]);
  for (const ranks of [2, 4]) {
    for (const path of ["shm", "bytes", "tls"] as const)
      milliseconds[`${ranks} ranks, ${path}`] = await measure(path, ranks, folder);
  }
  await rm(folder, { recursive: true });
  process.stdout.write(`${JSON.stringify({ bench: "exchange", milliseconds })}\n`);
}
