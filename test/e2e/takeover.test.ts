/** A service of real processes whose leader dies, or stands still, at a moment that matters to workers and watchers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { isOver } from "../../core/jobstate.ts";
import { connectCoordinator } from "../../proto/clients.ts";
import { givenAddresses } from "../../proto/whereabouts.ts";
import { until } from "../chaos/chaos.ts";
import { serviceJob } from "../chaos/service/job.ts";
import { Service } from "../chaos/service/service.ts";
import { scratchFolder } from "./limbeck.ts";

const deadlineMs = 60_000;
const small = ["lanes.batch=4", "dataset.limit=1000"];

test("a leader dies while it pauses a job: its workers, which compute on for it, do the job behind it", {
  timeout: 120_000,
}, async (t) => {
  const scratch = await scratchFolder(t);
  const size = { natsServers: 1, coordinators: 2, students: 1, teachers: 1 } as const;
  const service = await Service.start(t, join(scratch, "service"), size);
  const first = await service.submit("first", serviceJob(100_000, ...small).yaml, deadlineMs);
  assert.ok(await until(() => service.events(first).some(({ kind }) => kind === "stepped"), deadlineMs), "it trains");
  const behind = await service.submit("behind", serviceJob(20, ...small).yaml);

  // As long as it stands still no last checkpoint comes, so the job is not paused yet when the leader dies.
  const student = service.workers.all[0]!.child!.process;
  student.kill("SIGSTOP");
  try {
    await service.control(first, "pause");
    const { coordinator } = service.coordinators.leader()!;
    await service.coordinators.kill(coordinator);
    service.coordinators.start(coordinator);
  } finally {
    student.kill("SIGCONT");
  }
  const listed = async (id: string) => (await service.list()).find((entry) => entry.id === id)!;
  await until(async () => isOver((await listed(behind)).state), deadlineMs);
  const { state, why } = await listed(behind);
  assert.equal(state, "done", why);
  assert.equal((await listed(first)).state, "paused");
  assert.deepEqual(service.surprises, []);
});

test("a leader stands still, another follows it, and it goes on: who watched a job at it is sent to the other (L7)", {
  timeout: 120_000,
}, async (t) => {
  const scratch = await scratchFolder(t);
  const size = { natsServers: 1, coordinators: 2, students: 0, teachers: 0 } as const;
  const service = await Service.start(t, join(scratch, "service"), size);
  const id = await service.submit("waits", serviceJob(20, ...small).yaml, deadlineMs);
  const { coordinator: first, fence } = service.coordinators.leader()!;
  const second = service.coordinators.all.find((each) => each !== first)!;

  const client = connectCoordinator(givenAddresses([first.rpc, second.rpc]), id);
  t.after(() => client.close());
  let isOver = false;
  const watching = (async () => {
    for await (const _ of client.watch({ patientUntil: t.signal }));
    isOver = true;
  })();
  watching.catch(() => {}); // The test says what is wrong.
  const isWatched = async () => {
    const text = await (await fetch(`http://${first.http}/metrics`)).text();
    return Number(/^grpc_server_started_total\{.*grpc_method="Watch".*\} (\d+)$/m.exec(text)?.[1] ?? 0) > 0;
  };
  assert.ok(await until(isWatched, deadlineMs));
  first.process!.kill("SIGSTOP");
  const isFollowed = () => (service.coordinators.leader()?.fence ?? 0) > fence;
  const hasFollowed = await until(isFollowed, deadlineMs);
  first.process!.kill("SIGCONT");
  assert.ok(hasFollowed);
  await service.control(id, "cancel");
  assert.ok(await until(() => isOver, deadlineMs), "it hears that the job is over");
});
