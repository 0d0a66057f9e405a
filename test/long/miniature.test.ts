/** A cluster in miniature: processes that are told what the rendered chart says. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ProgressEvent } from "../../core/events.ts";
import { packagePath } from "../../proto/package.ts";
import { until } from "../chaos/chaos.ts";
import { madeCertificates, namedSecrets, type Stranger, secretsOf, strangers } from "../deploy/chart/certificates.ts";
import { certManager } from "../deploy/chart/certmanager.ts";
import { type Container, type Kept, type Miniature, miniature } from "../deploy/chart/miniature.ts";
import { metricsPath } from "../deploy/chart/pages.ts";
import { render, type Thing } from "../deploy/chart/render.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { Said } from "../e2e/said.ts";
import { healthOf } from "../healthclient.ts";
import { findTool } from "../kubernetestools.ts";
import { assertWellFormed } from "../metricstext.ts";

const smallNode = packagePath("deploy/helm/examples/one-node.yaml");
const usual = ["students.kind=job", "monitoring.scrapeConfig.enabled=true"];
const service = ["tls.mode=certManager", "monitoring.podMonitor.enabled=true"];
const several = ["coordinator.replicas=2", "teachers.replicas=2", "students.replicas=3"];

async function* events({ process }: Container): AsyncGenerator<ProgressEvent> {
  for await (const line of createInterface(process.stdout!)) if (line.startsWith("{")) yield JSON.parse(line);
}

/** What Prometheus is told to scrape by this coordinator, asked as the chart has it told: all answers with metrics. */
async function scrapedTargets(objects: readonly Thing[], coordinator: Container, { through }: Miniature) {
  const monitors = objects.filter(({ kind }) => kind === "PodMonitor");
  for (const endpoint of monitors.flatMap(({ spec }) => spec.podMetricsEndpoints))
    await scraped(coordinator.asked(endpoint));
  const { httpSDConfigs, metricsPath: path = metricsPath } = objects.find(({ kind }) => kind === "ScrapeConfig").spec;
  const answer = await found(through(httpSDConfigs[0].url, coordinator));
  const targets = (await answer.json()) as readonly Thing[];
  for (const { targets: addresses, labels } of targets)
    for (const address of addresses) await scraped(`http://${address}${labels.__metrics_path__ ?? path}`);
  return targets;
}

async function scraped(url: string): Promise<void> {
  assertWellFormed(await (await found(url)).text());
}

async function found(url: string): Promise<Response> {
  const answer = await fetch(url);
  assert.equal(answer.status, 200, url);
  return answer;
}

async function leaderOf(coordinators: readonly Kept[]): Promise<Container> {
  for (; ; await setTimeout(50)) {
    for (const each of coordinators.map(({ current }) => current())) {
      const said = await fetch(each.readiness).then(
        (answer) => answer.text(),
        () => "it does not answer",
      );
      if (said === "leads\n") return each;
    }
  }
}

/** Comes with the arguments of the chart's students and what it has, and goes with a sentence. */
async function turnedAway(cluster: Miniature, { args, told, logged }: Stranger, leader: Said): Promise<string> {
  const { name, outcome } = cluster.run("students", ...args);
  const { code, stderr } = await outcome;
  assert.match(stderr, told);
  assert.equal(code, 1, stderr);
  await leader.until(logged);
  return name;
}

/** As its node is drained. @returns what its readiness probe is told from before until it is gone, and its exit code */
async function drained(student: Container) {
  const health = healthOf(student.readiness);
  const said: string[] = [];
  let code: Promise<number | null> | undefined;
  for await (const status of health.watch()) {
    said.push(status);
    code ??= student.stop();
  }
  health.close();
  return { said, code: await code };
}

test("the smoke job passes and strangers are refused; a drained student hands over; a leader that is killed is replaced", async (t) => {
  const helm = findTool("helm");
  if ("why" in helm) return t.skip(helm.why);
  const folder = await scratchFolder(t);
  const rendered = render(helm.path, { values: [smallNode], set: [...usual, ...service, ...several] });
  const [issuing, other] = await Promise.all(["own", "other"].map((name) => certManager(rendered, join(folder, name))));
  const unknown = await strangers(issuing!, other!);
  const cluster = await miniature(t, rendered, issuing!.secrets);
  const coordinators = [cluster.keep("coordinator"), cluster.keep("coordinator")];
  const students = ["students", "students", "students"].map(cluster.keep);
  const teachers = ["teachers", "teachers"].map(cluster.keep);
  const own = [...students, ...teachers];
  await Promise.all([...coordinators, ...own].map((each) => each.current().ready()));

  const leader = await leaderOf(coordinators);
  const leaderSays = new Said(leader);
  const smoke = cluster.run("client");
  const smokes: ProgressEvent[] = [];
  let away: Promise<string[]> | undefined;
  for await (const event of events(smoke)) {
    smokes.push(event);
    if (event.kind !== "stepped") continue;
    away ??= Promise.all(unknown.map((each) => turnedAway(cluster, each, leaderSays)));
    away.catch(() => {}); // Told below, when the job is over.
  }
  assert.equal((await smoke.outcome).code, 0, (await smoke.outcome).stderr);
  assert.equal((await away!).length, 3);
  const names = own.map(({ current }) => current().name);
  // Of whichever coordinator it asks, Prometheus hears of all workers; each is away for a while when a job is over.
  for (const { current } of coordinators) {
    let workers: unknown;
    const areAll = async () => {
      try {
        const targets = await scrapedTargets(rendered, current(), cluster);
        workers = targets.flatMap(({ labels }) => labels.limbeck_worker || []).sort();
      } catch (thrown) {
        workers = thrown;
      }
      return isDeepStrictEqual(workers, [...names].sort());
    };
    assert.ok(await until(areAll, 30_000), `${workers}`);
  }
  // The job was not disturbed: nobody was lost, and who took part is the cluster's.
  for (const event of smokes) {
    assert.notEqual(event.kind, "worker-lost", JSON.stringify(event));
    // One of them that is given to a job that has just ended is refused, too.
    if (event.kind === "worker-joined" || event.kind === "worker-refused")
      assert.ok(names.includes(event.worker), JSON.stringify(event));
  }

  const long = cluster.run("client", "--set", "distil.epochs=20", "--set", "baseline=false");
  const longs: ProgressEvent[] = [];
  let inDeal = "";
  let student: Container | undefined;
  let draining: ReturnType<typeof drained> | undefined;
  let isKilled = false;
  for await (const event of events(long)) {
    longs.push(event);
    if (event.kind === "term-opened") inDeal = event.deal[0]!.worker;
    if (event.kind === "stepped" && event.stage === "distil" && !student) {
      student = students.map(({ current }) => current()).find(({ name }) => name === inDeal)!;
      draining = drained(student);
    }
    if (event.kind === "worker-left" && !isKilled) {
      isKilled = (await leaderOf(coordinators)).process.kill("SIGKILL");
    }
  }
  assert.equal((await long.outcome).code, 0, (await long.outcome).stderr);
  // Whoever asks it is told that it goes; it goes within its grace; 143, so its Job starts another.
  assert.deepEqual(await draining, { said: ["SERVING", "NOT_SERVING"], code: 143 });
  const kinds = longs.map(({ kind }) => kind);
  const left = kinds.indexOf("worker-left");
  assert.ok(longs[left]?.kind === "worker-left" && longs[left].worker === student!.name, "the student handed over");
  assert.ok(!kinds.includes("worker-lost"));
  assert.ok(isKilled && kinds.indexOf("coordinator-recovered") > left, "another coordinator went on with the job");
});

test("in mode job there is one coordinator, and all end with its job", async (t) => {
  const helm = findTool("helm");
  if ("why" in helm) return t.skip(helm.why);
  const folder = await scratchFolder(t);
  const made = await madeCertificates(join(folder, "made"));
  const job = join(folder, "job.json");
  writeFileSync(
    job,
    JSON.stringify({ mode: "job", job: { file: readFileSync(packagePath("examples/smoke.yaml"), "utf8") } }),
  );
  const rendered = render(helm.path, { values: [smallNode, job], set: [...usual, ...namedSecrets] });
  const cluster = await miniature(t, rendered, secretsOf(made));
  const coordinator = cluster.run("coordinator");
  const workers = ["students", "students", "teachers"].map((component) => cluster.run(component));
  await coordinator.ready();
  const targets = await scrapedTargets(rendered, coordinator, cluster);
  assert.ok(targets.some(({ labels }) => labels.limbeck_role === "coordinator" && labels.limbeck_job === "smoke"));
  for (const { name, outcome } of [coordinator, ...workers]) {
    const { code, stderr } = await outcome;
    assert.equal(code, 0, `${name}: ${stderr}`);
  }
});
