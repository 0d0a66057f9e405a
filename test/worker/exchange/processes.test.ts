/** The same file is the test and, started with "member", one of its processes. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { heldBy, joinTerm, openPeer, type Path, sequentialSum } from "./cluster.ts";

interface Task {
  readonly rank: number;
  readonly addresses: readonly string[];
  readonly weights: readonly number[];
}

const lanes = 8;
const floats = 20_000;
const steps = 5;

async function member(path: Path): Promise<void> {
  const peer = await openPeer(`process-${process.pid}`, path);
  process.once("disconnect", () => {
    peer.close();
    process.exit();
  });
  process.once("message", async ({ rank, addresses, weights }: Task) => {
    const members = addresses.map((address, at) => ({ worker: `student-${at + 1}`, address }));
    const { reduce, sum } = joinTerm(peer, { term: 1, rank, members, lanes, held: heldBy(lanes, weights), floats });
    const sums: string[] = [];
    for (let step = 0; step < steps; step++) {
      await reduce(step);
      sums.push(Buffer.from(Float32Array.from(sum).buffer).toString("base64"));
    }
    process.send!(sums);
  });
  process.send!(peer.member.address);
}

async function answers<T>(children: readonly ChildProcess[]): Promise<T[]> {
  const signal = AbortSignal.timeout(30_000);
  return await Promise.all(children.map(async (child) => (await once(child, "message", { signal }))[0] as T));
}

if (process.argv[2] === "member") {
  await member(process.argv[3] as Path);
} else {
  for (const path of ["shm", "bytes"] as const) {
    test(`real processes sum to the bits of one, over ${path} (L1)`, async (t) => {
      const weights = [5, 3];
      const children = weights.map(() => fork(fileURLToPath(import.meta.url), ["member", path]));
      t.after(() => {
        for (const child of children) if (child.connected) child.disconnect();
      });
      const addresses = await answers<string>(children);
      const sums = answers<string[]>(children);
      for (const [rank, child] of children.entries()) child.send({ rank, addresses, weights } satisfies Task);
      const want = Array.from({ length: steps }, (_, step) =>
        Buffer.from(sequentialSum(lanes, step, floats).buffer).toString("base64"),
      );
      for (const got of await sums) assert.deepEqual(got, want);
    });
  }
}
