/** The checked-in alerts before a real Prometheus that scrapes a real service: idle, with a job, without a coordinator. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedInDashboards, panelsOf } from "../deploy/rules.ts";
import { waiting } from "../e2e/limbeck.ts";
import { assertAlerts, Prometheus, until } from "../e2e/prometheusserver.ts";
import { startedService } from "../e2e/service.ts";
import { findPromtool } from "../promtool.ts";

/** Five minutes, as Prometheus runs here, and some: of a process that is older an age alone would be an alert. */
const oldSeconds = 25;
const endless = ["teach.epochs=1", `student=${waiting}`, "distil.epochs=100000", "softTargets.cache=false"];

/** What the dashboards show of a coordinator's process. Whether a call has ended lately is chance. */
const ofCoordinator = panelsOf(checkedInDashboards().get("coordinator.json")!)
  .flatMap(({ targets }) => targets.map(({ expr }) => expr))
  .filter((expr) => expr.includes('limbeck_role="coordinator"') && !expr.endsWith("> 0"));

test("a service has no alert while its workers idle or train, and one each where nobody decides, or no step is taken", {
  timeout: 280_000,
}, async (t) => {
  const binary = findPromtool("prometheus");
  if ("why" in binary) return t.skip(binary.why);
  const service = await startedService(t, 2, "--allow-modules");
  const student = service.start("worker", "--role", "student", "--name", "student-1");
  t.after(() => void student.process.kill("SIGKILL"));
  const prometheus = await Prometheus.start(t, binary.path, `http://${service.http}/targets`);
  const holds = (expr: string) =>
    until(`${expr} is nowhere true`, async () => (await prometheus.query(expr)).length > 0);

  await holds('count(up{limbeck_job="", limbeck_role="auto"} == 1) == 2');
  await holds('up{limbeck_job="", limbeck_role="student"} == 1');
  await holds(`time() - process_start_time_seconds{limbeck_role="coordinator"} > ${oldSeconds}`);
  await assertAlerts(prometheus, []);

  const job = ["examples/smoke.yaml", ...endless.flatMap((each) => ["--set", each]), "--no-wait"];
  for (const name of ["trains", "queued"]) await service.ask("submit", ...job, "--name", name);
  await holds('limbeck_step{limbeck_job="trains", stage="distil"} > 0');
  await holds('count(up{limbeck_job="trains", limbeck_role="student"} == 1) == 2');
  await holds('up{limbeck_job="trains", limbeck_role="teacher"} == 1');
  await holds("limbeck_service_oldest_queued_timestamp_seconds");
  await assertAlerts(prometheus, []);
  const jobs = await prometheus.query("limbeck_job_info"); // Of which Grafana lets choose.
  assert.deepEqual(
    jobs.map(({ metric }) => metric["limbeck_job"]),
    ["trains"],
  );
  for (const expr of ofCoordinator) await holds(expr.replace("$job", "trains").replace("$__rate_interval", "20s"));

  service.coordinator().process.kill("SIGKILL");
  await assertAlerts(prometheus, ["LimbeckServiceNoLeader"]);

  student.process.kill("SIGKILL");
  await service.kill();
  await service.restart();
  await assertAlerts(prometheus, ["LimbeckNoProgress", "LimbeckWorkerMissing"]);
});
