/**
 * 1,000 jobs in the queue of the service: how long it takes to submit them, to list them while one runs and beats arrive,
 * and to start a coordinator on them that was killed. On the folder, and on NATS where nats-server is there.
 * `npm run bench -- queue [JOBS]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { answerOf, openJobs, startChild, startCoordinator } from "./load/children.ts";
import { percentiles, print, rounded } from "./load/figures.ts";
import type { Counts } from "./load/generator.ts";
import { jobText } from "./load/jobs.ts";
import { startNatsServer } from "./load/nats.ts";

const jobs = Number(process.argv[3] ?? 1_000);
/** Simulated members of the job that runs. */
const members = 16;
const lists = 40;
/** Submissions under way at once: one after the other is the usual case, many the worst. */
const atOnce = 8;

async function measure(folder: string, nats: string) {
  const first = await startCoordinator(folder, nats);
  const calls = openJobs(first.address);
  const submit = (name: string, job: string) => calls.submit({ job, name, priority: 0, sources: [], by: "bench" });
  await submit("runs", jobText({ name: "runs", students: members }));
  const crowd = startChild("generator.js", [first.address, "0", String(members), "student", "250"]);
  const teacher = startChild("generator.js", [first.address, "1000", "1", "teacher"]);
  await untilTraining(crowd, members);

  const startedMs = performance.now();
  const waiting = jobText({ name: "waits", students: 2 });
  let submitted = 0;
  const times: number[] = [];
  const submitters = Array.from({ length: atOnce }, async () => {
    while (submitted < jobs) {
      const name = `job-${++submitted}`;
      const askedMs = performance.now();
      await submit(name, waiting);
      times.push(performance.now() - askedMs);
    }
  });
  await Promise.all(submitters);
  const submitSeconds = (performance.now() - startedMs) / 1_000;

  const listTimes: number[] = [];
  let listed = 0;
  for (let each = 0; each < lists; each++) {
    const askedMs = performance.now();
    listed = JSON.parse((await calls.list({})).jobs).length;
    listTimes.push(performance.now() - askedMs);
  }
  const { residentMebibytes } = await first.usage();
  calls.close();
  for (const child of [crowd, teacher]) child.disconnect();
  await first.kill();
  const second = await startCoordinator(folder, nats);
  const again = openJobs(second.address);
  const after = JSON.parse((await again.list({})).jobs).length;
  again.close();
  await second.kill();
  if (listed !== jobs + 1 || after !== jobs + 1) throw new Error(`${listed} jobs before, ${after} after`);
  return {
    submitSeconds: rounded(submitSeconds),
    submitMs: percentiles(times),
    listMs: percentiles(listTimes),
    residentMebibytes: rounded(residentMebibytes, 0),
    restartSeconds: rounded(second.seconds, 2),
  };
}

async function untilTraining(child: ReturnType<typeof startChild>, wanted: number): Promise<void> {
  for (const endMs = performance.now() + 30_000; performance.now() < endMs; ) {
    const answer = answerOf<Counts>(child);
    child.send("counts");
    if ((await answer).standings["training"] === wanted) return;
    await sleep(100);
  }
  throw new Error("the job that is to run does not");
}

const base = mkdtempSync(join(tmpdir(), "limbeck-queue-"));
const nats = await startNatsServer(join(base, "nats"));
try {
  print("queue", {
    jobs,
    folder: await measure(join(base, "folder"), ""),
    nats: nats && (await measure(join(base, "shared"), nats.url)),
  });
} finally {
  nats?.stop();
  rmSync(base, { recursive: true, force: true });
}
process.exit();
