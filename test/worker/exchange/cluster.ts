/** Real peers on loopback, each with its own arena, for the tests of the exchange. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { deal } from "../../../core/deal.ts";
import { randomStream } from "../../../core/random.ts";
import { additions, maximalSubtrees, rootOf, type TreeNode } from "../../../core/tree.ts";
import { serverOptions } from "../../../proto/wire.ts";
import { Arena } from "../../../worker/arena.ts";
import { Exchange, exchangeScratchFloats } from "../../../worker/exchange/exchange.ts";
import { hostId } from "../../../worker/exchange/host.ts";
import { type PeerAddress, PeerClient } from "../../../worker/exchange/peerclient.ts";
import { PeerServer, type PeerServerSettings } from "../../../worker/exchange/peerserver.ts";
import { SharedFiles } from "../../../worker/exchange/sharedfiles.ts";
import { loadKernels } from "../../../worker/kernels/kernels.ts";

export interface TestPeer {
  readonly member: PeerAddress;
  readonly server: PeerServer;
  readonly client: PeerClient;
  readonly notes: string[];
  close(): void;
}

export type Path = "shm" | "bytes";

/** Listens on a free loopback port. */
export async function listen(server: Server, port = 0): Promise<string> {
  return await new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(`127.0.0.1:${bound}`),
    );
  });
}

/** Peers of one host share files; those of the "bytes" path claim a host each. */
export async function openPeer(worker: string, path: Path, files?: PeerServerSettings["files"]): Promise<TestPeer> {
  const host = path === "shm" ? hostId() : `host-of-${worker}`;
  const notes: string[] = [];
  const server = new PeerServer({ host, files: files ?? SharedFiles.create(), note: (line) => notes.push(line) });
  const client = new PeerClient(host);
  const grpc = new Server(serverOptions);
  server.addTo(grpc);
  const address = await listen(grpc);
  const close = () => {
    client.close();
    server.close(`${worker} leaves`);
    grpc.forceShutdown();
  };
  return { member: { worker, address }, server, client, notes, close };
}

export async function openPeers(count: number, path: Path): Promise<TestPeer[]> {
  return await Promise.all(Array.from({ length: count }, (_, rank) => openPeer(`student-${rank + 1}`, path)));
}

/** A gradient vector of one lane and step, with denormals and zeros in it. */
export function laneGradient(lane: number, step: number, floats: number): Float32Array {
  const random = randomStream(lane, step);
  return Float32Array.from({ length: floats }, (_, at) =>
    at % 7 === 0 ? 1e-39 : (random() - 0.5) * 10 ** (random() * 12 - 6),
  );
}

/** The additions of a member over its own lanes, one vector per node it holds. */
export function partialsInto(
  partials: readonly Float32Array[],
  nodes: readonly TreeNode[],
  settings: { lanes: number; step: number },
): void {
  const { lanes, step } = settings;
  const floats = partials[0]!.length;
  nodes.forEach((node, at) => {
    const first = node.index * 2 ** node.level;
    const count = Math.min(2 ** node.level, lanes - first);
    const arena = Arena.create(4 * (floats + 16) * count);
    const kernels = loadKernels(arena.memory);
    const vectors = Array.from({ length: count }, (_, lane) => {
      const vector = arena.floats(floats);
      vector.set(laneGradient(first + lane, step, floats));
      return vector;
    });
    const leaves = vectors.map((_, lane) => ({ level: 0, index: first + lane }));
    for (const { into, from } of additions(leaves, node, lanes)) kernels.add(vectors[into]!, vectors[from]!);
    partials[at]!.set(vectors[0]!);
  });
}

/** The sum over all lanes, by one member, without an exchange. */
export function sequentialSum(lanes: number, step: number, floats: number): Float32Array {
  const sum = new Float32Array(floats);
  partialsInto([sum], [rootOf(lanes)], { lanes, step });
  return sum;
}

export interface TestMember {
  readonly exchange: Exchange;
  readonly sum: Float32Array;
  /** Computes the step's partials and sums them with the others'. */
  reduce(step: number, signal?: AbortSignal): Promise<Uint32Array[]>;
}

/** A deal of all lanes to as many members as there are weights: what each holds of the tree. */
export function heldBy(lanes: number, weights: readonly number[]): TreeNode[][] {
  const workers = weights.map((weight, rank) => ({ name: `student-${rank + 1}`, weight }));
  return deal(lanes, workers).map((dealt) => maximalSubtrees(dealt.firstLane, dealt.lanes, lanes));
}

export function joinTerm(
  peer: Pick<TestPeer, "server" | "client">,
  settings: {
    term: number;
    rank: number;
    members: readonly PeerAddress[];
    lanes: number;
    held: TreeNode[][];
    floats: number;
    deadlineMs?: number;
  },
): TestMember {
  const { term, rank, members, lanes, held, floats, deadlineMs = 10_000 } = settings;
  const nodes = held[rank]!;
  const scratchFloats = exchangeScratchFloats(floats, held, rank);
  const arena = Arena.create(4 * ((nodes.length + 1) * (floats + 16) + scratchFloats + 16));
  const partials = nodes.map(() => arena.floats(floats));
  const sum = arena.floats(floats);
  const { server, client } = peer;
  const scratch = arena.floats(scratchFloats);
  const kernels = loadKernels(arena.memory);
  const exchange = new Exchange({
    server,
    client,
    term,
    members,
    rank,
    leaves: lanes,
    held,
    partials,
    sum,
    scratch,
    kernels,
    deadlineMs,
  });
  return {
    exchange,
    sum,
    async reduce(step, signal = new AbortController().signal) {
      partialsInto(partials, nodes, { lanes, step });
      const { consumed } = await exchange.allReduce(step, Uint32Array.of(rank, step), signal);
      return consumed;
    },
  };
}
