/** The checked-in queries and alerts before a real Prometheus that scrapes a real job, and three faults. */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { serviceMetrics } from "../../core/metrics/service.ts";
import { processEnvironment } from "../../worker/engine/environment.ts";
import { checkedInDashboards, metricsIn, panelsOf, rulesOf } from "../deploy/rules.ts";
import { findPromtool } from "../promtool.ts";
import { fakeDriver } from "./fakedriver.ts";
import { lasting, scratchFolder, start, waiting } from "./limbeck.ts";
import { assertAlerts, Prometheus, until } from "./prometheusserver.ts";

/** What a job without faults has no answer to. Every other query of a panel must have one. */
const emptyWithoutFaults = new Map([
  ["What is wrong", "nothing is"],
  ["Calls that failed, by code", "none did"],
  ["Calls that ended, by code", "those of workers last as long as they do"],
  ["Journal", "nothing is decided once the job runs"],
  ["Found lost within", "nobody was lost: nothing over nothing"],
  ["Went on within", "nobody was lost: nothing over nothing"],
]);

/** Kept for ten thousands of epochs, so that it is used and teachers are asked all the same. */
const cacheThatMisses = ["distil.views={shift: 2, repeat: 100000}", "softTargets.cache.maxBytes=100000000"];
const distilling = ["teach.epochs=1", `student=${waiting}`, "distil.epochs=100000"];
const endless = [...distilling, "checkpoint.everySteps=20", "doctor.canaryEverySteps=5"];

class LiveJob {
  /** Of the coordinator. */
  readonly http: string;
  readonly #address: string;
  readonly #env: Record<string, string>;
  readonly #t: TestContext;
  readonly #processes = new Map<string, number>();

  private constructor(
    t: TestContext,
    { address, http, env }: { address: string; http: string; env: Record<string, string> },
  ) {
    this.http = http;
    this.#address = address;
    this.#env = env;
    this.#t = t;
  }

  static async start(t: TestContext): Promise<LiveJob> {
    const folder = await scratchFolder(t);
    const set = [...endless, ...cacheThatMisses, `softTargets.cache.dir=${join(folder, "cache")}`];
    const args = ["examples/smoke.yaml", "--state", join(folder, "run"), ...set.flatMap((each) => ["--set", each])];
    const loopback = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    const { process, outcome } = start(["coordinator", ...args, ...loopback], {}, lasting);
    t.after(() => void process.kill("SIGKILL"));
    for await (const line of createInterface(process.stdout!)) {
      const { event, address, http } = JSON.parse(line);
      if (event !== "listening") continue;
      process.stdout!.resume();
      const job = new LiveJob(t, { address, http, env: { ...processEnvironment(), ...fakeDriver(folder) } });
      job.#processes.set("coordinator", process.pid!);
      return job;
    }
    throw new Error((await outcome).stderr);
  }

  join(name: string, role: "student" | "teacher"): void {
    const args = ["worker", "--coordinator", this.#address, "--role", role, "--name", name];
    const { process } = start(args, this.#env, lasting);
    this.#t.after(() => void process.kill("SIGKILL"));
    this.#processes.set(name, process.pid!);
  }

  kill(name: string): void {
    process.kill(this.#processes.get(name)!, "SIGKILL");
  }
}

const serviceNames = new Set<string>(Object.values(serviceMetrics).map(({ name }) => name));

/** As Grafana would ask it, of all workers. */
function asked(expr: string): string {
  return expr.replaceAll("$job", "smoke").replaceAll("$worker", ".+").replaceAll("$__rate_interval", "20s");
}

/** Waits until all queries have an answer that is a number; those that stay without fail, by name. */
async function assertAnswered(prometheus: Prometheus, queries: ReadonlyMap<string, string>): Promise<void> {
  const open = new Map(queries);
  const isAnswered = async () => {
    for (const [name, expr] of open) {
      const samples = await prometheus.query(expr);
      if (samples.some(({ value }) => value[1] !== "NaN")) open.delete(name);
    }
    return open.size === 0;
  };
  await until(() => `no answer to ${[...open].map(([name, expr]) => `${name}: ${expr}`).join("\n")}`, isAnswered);
}

test("every query has an answer, a healthy job no alert, and each of three faults its own alert and no other", {
  timeout: 280_000,
}, async (t) => {
  const binary = findPromtool("prometheus");
  if ("why" in binary) return t.skip(binary.why);
  const job = await LiveJob.start(t);
  for (const name of ["student-1", "student-2"]) job.join(name, "student");
  job.join("teacher-1", "teacher");
  const prometheus = await Prometheus.start(t, binary.path, `http://${job.http}/targets`);

  const [healthy, faulty] = [new Map<string, string>(), new Map<string, string>()];
  for (const [file, text] of checkedInDashboards()) {
    for (const { title, targets } of panelsOf(text)) {
      const queries = emptyWithoutFaults.has(title) ? faulty : healthy;
      for (const [at, { expr }] of targets.entries()) queries.set(`${file}, ${title}, ${at}`, asked(expr));
    }
  }
  const rules = [...rulesOf("rules.yml"), ...rulesOf("alerts.yml")];
  for (const { record, alert, expr } of rules) {
    if (record) healthy.set(record, record);
    // An alert on what is not there never fires.
    const asks = metricsIn(expr).filter((metric) => !serviceNames.has(metric)); // This coordinator has one job.
    for (const metric of asks) healthy.set(`${alert ?? record}: ${metric}`, `count({__name__="${metric}"})`);
  }
  await assertAnswered(prometheus, healthy);
  for (const expr of [...faulty.values(), ...rules.map(({ expr }) => expr)]) await prometheus.query(expr); // Valid at least.
  await assertAlerts(prometheus, []);

  job.kill("student-2");
  await assertAlerts(prometheus, ["LimbeckWorkerMissing"]);
  job.join("student-2", "student");
  await assertAnswered(prometheus, faulty); // The job was paused: it has gone on.
  await assertAlerts(prometheus, []);

  job.kill("teacher-1");
  await assertAlerts(prometheus, ["LimbeckStudentsStarved"]);
  job.join("teacher-1", "teacher");
  await assertAlerts(prometheus, []);

  job.kill("coordinator");
  await assertAlerts(prometheus, ["LimbeckNoLeader"]);
});
