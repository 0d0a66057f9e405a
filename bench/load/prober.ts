/**
 * A child process of a benchmark that does little itself, and so can tell how long the coordinator takes.
 * `idle`: a heartbeat of a worker without a job has no answer, so it says Hello on an open session and waits for the
 * Idle: that goes the way of a heartbeat and further, through the queue's decision and back.
 * `members`: some of its own are members of the job; each heartbeat says something new, and is over when a watcher of
 * the job's events has been told: through the job's decision, its record on disk, and back.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ToWorker__Output } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { packageVersion } from "../../proto/package.ts";
import { coordinatorClient } from "../../proto/wire.ts";
import { simulate } from "./simulated.ts";

export const probers = 4;
const everyMs = 50;

const [address = "", kind = "idle", job = ""] = process.argv.slice(2);
let times: number[] = [];
process.on("message", () => {
  process.send!(times);
  times = [];
});
process.on("disconnect", () => process.exit());

async function greet(): Promise<never> {
  const client = coordinatorClient(address);
  for (let number = 0; ; number++) {
    const stream = client.join();
    stream.on("error", () => {});
    // The session is open before anything is measured.
    await sleep(everyMs);
    const name = `probe-${process.pid}-${number}`;
    const life = { build: packageVersion, pid: process.pid, instance: name, life: name };
    const answer = new Promise<void>((resolve) => {
      stream.on("data", (message: ToWorker__Output) => void (message.body === "idle" && resolve()));
    });
    const startedMs = performance.now();
    stream.write({
      term: 0,
      hello: { worker: name, role: "teacher", address: "127.0.0.1:1", host: "h", holds: [], ...life },
    });
    await answer;
    times.push(performance.now() - startedMs);
    stream.end();
  }
}

function beatMarked(): void {
  const sent = new Map<string, number>();
  let marks = 0;
  for (let each = 0; each < probers; each++) {
    const doing = () => {
      const mark = `mark ${++marks}`;
      sent.set(mark, performance.now());
      return mark;
    };
    simulate({ address, name: `p${each}`, role: "student", progressMs: 0, doing, changed: () => {} });
  }
  const watch = coordinatorClient(address).watch({ job });
  watch.on("error", (error) => process.stderr.write(`the watch ended: ${error.message}\n`));
  watch.on("data", ({ event }: { event: string }) => {
    if (!event.includes('"worker-status"')) return;
    const { doing } = JSON.parse(event) as { doing: string };
    const sentMs = sent.get(doing);
    if (sentMs === undefined) return;
    sent.delete(doing);
    times.push(performance.now() - sentMs);
  });
}

if (kind === "idle") await greet();
else beatMarked();
