/** A service of real processes of which one coordinator stands still: commands and workers find the one that leads. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "../chaos/chaos.ts";
import { Service } from "../chaos/service/service.ts";
import { lasting, limbeck, type Outcome, scratchFolder, start } from "./limbeck.ts";

const deadlineMs = 60_000;

test("a coordinator that stands still keeps nobody from the one that leads, whichever is named first", {
  timeout: 240_000,
}, async (t) => {
  const size = { natsServers: 1, coordinators: 2, students: 0, teachers: 0 } as const;
  const service = await Service.start(t, join(await scratchFolder(t), "service"), size);
  assert.ok(await until(() => service.coordinators.leader() !== null, deadlineMs));
  const { coordinator: first, fence } = service.coordinators.leader()!;
  const second = service.coordinators.all.find((each) => each !== first)!;
  const submitted = (name: string, ...where: string[]) =>
    limbeck("submit", "examples/smoke.yaml", "--name", name, "--no-wait", ...where);
  const taken = ({ code, stdout, stderr }: Outcome, name: string) => {
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^${name}-[0-9a-f]{4}: queued`));
  };
  const firstFirst = ["--coordinator", `${first.rpc},${second.rpc}`];

  // A leader, within its lease; then the other one leads.
  first.process!.kill("SIGSTOP");
  const [byAddress, byNats] = await Promise.all([
    submitted("by-address", ...firstFirst),
    submitted("by-nats", "--nats", service.natsUrls[0]!),
  ]);
  taken(byAddress, "by-address");
  taken(byNats, "by-nats");
  assert.ok(service.coordinators.leader()!.fence > fence);

  // It still stands still, and nobody waits for it any more: as a standby does.
  const worker = start(["worker", "--name", "w1", ...firstFirst], {}, lasting);
  t.after(async () => {
    worker.process.kill("SIGTERM");
    await worker.outcome;
  });
  worker.process.stdout!.resume();
  const [beside, paused, logs, status] = await Promise.all([
    submitted("beside", ...firstFirst),
    limbeck("pause", "by-nats", ...firstFirst),
    limbeck("logs", "by-nats", ...firstFirst),
    limbeck("status", "by-nats", ...firstFirst),
  ]);
  taken(beside, "beside");
  for (const { code, stderr } of [paused, logs, status]) assert.equal(code, 0, stderr);
  const hasJoined = async () => {
    const metrics = await (await fetch(`http://${second.http}/metrics`)).text();
    return metrics.includes('limbeck_service_workers{place="idle"} 1');
  };
  assert.ok(await until(hasJoined, deadlineMs), "the worker is where the leader is");
  first.process!.kill("SIGCONT");
});
