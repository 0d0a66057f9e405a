/** The Helm chart and the base of kustomize: what is rendered is whole, strict, safe, and what the processes take. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { packagePath } from "../../proto/package.ts";
import { findTool } from "../kubernetestools.ts";
import { refusalOf } from "./chart/arguments.ts";
import { faults, faulty, losses } from "./chart/faults.ts";
import { withHelm } from "./chart/helm.ts";
import { natsEnvironment } from "./chart/nats.ts";
import { nameProblems, paths } from "./chart/network.ts";
import { problems } from "./chart/problems.ts";
import {
  chart,
  componentOf,
  jobSet,
  notes,
  parsed,
  podOf,
  podsOf,
  render,
  said,
  type Thing,
  valuesFiles,
} from "./chart/render.ts";
import { metricsIn, rulesOf } from "./rules.ts";

const operator = ["v1/PodMonitor", "v1/ServiceMonitor", "v1/PrometheusRule", "v1alpha1/ScrapeConfig"].map(
  (kind) => `monitoring.coreos.com/${kind}`,
);

for (const file of [null, ...valuesFiles()]) {
  test(`rendered with ${file ? basename(file) : "the usual values"}`, (t) =>
    withHelm(t, (helm) => {
      const values = file === null ? [] : [file];
      const lint = ["lint", "--strict", chart, ...values.flatMap((each) => ["--values", each])];
      assert.match(said(helm, lint), /0 chart\(s\) failed/);
      const clusters = file === null || basename(file) === "job.yaml" ? [[], [...jobSet, ...operator]] : [[]];
      for (const apiVersions of clusters) assert.deepEqual(problems(render(helm, { values, apiVersions })), []);
    }));
}

test("students are a JobSet where the cluster has it, and an Indexed Job where not", (t) =>
  withHelm(t, (helm) => {
    const kindOf = (...options: Parameters<typeof render>) => podOf(render(...options), "students").owner.kind;
    assert.equal(kindOf(helm), "Job");
    assert.equal(kindOf(helm, { apiVersions: jobSet }), "JobSet");
    assert.equal(kindOf(helm, { apiVersions: jobSet, set: ["students.kind=job"] }), "Job");
    assert.equal(kindOf(helm, { set: ["students.kind=deployment"] }), "Deployment");
  }));

test("monitoring comes along where the cluster has the operator, and each part of it can be told otherwise", (t) =>
  withHelm(t, (helm) => {
    const parts = (...options: Parameters<typeof render>) => {
      const objects = render(...options);
      const dashboards = objects.filter(({ metadata }) => metadata.labels.grafana_dashboard === "1");
      const kinds = objects.filter(({ apiVersion }) => apiVersion.startsWith("monitoring.")).map(({ kind }) => kind);
      return [...kinds.sort(), dashboards.length];
    };
    assert.deepEqual(parts(helm), [0]);
    assert.deepEqual(parts(helm, { apiVersions: operator }), ["PodMonitor", "PrometheusRule", "ScrapeConfig", 4]);
    const old = operator.filter((each) => !each.endsWith("ScrapeConfig"));
    assert.deepEqual(parts(helm, { apiVersions: old }), ["PodMonitor", "PrometheusRule", 4]);
    const others = ["monitoring.serviceMonitor.enabled=true", "monitoring.dashboards.enabled=false"];
    assert.deepEqual(parts(helm, { apiVersions: operator, set: others }), [
      ...["PrometheusRule", "ScrapeConfig", "ServiceMonitor"],
      0,
    ]);
    assert.deepEqual(parts(helm, { set: ["monitoring.prometheusRule.enabled=true"] }), ["PrometheusRule", 0]);
    const job = ["mode=job", "job.existingConfigMap=job"];
    assert.deepEqual(parts(helm, { apiVersions: operator, set: job }), ["PrometheusRule", "ScrapeConfig", 4]);
  }));

test("a job whose pods differ has another name, one that is only larger has not", (t) =>
  withHelm(t, (helm) => {
    const name = (...set: string[]) => render(helm, { set }).find(({ kind }) => kind === "Job").metadata.name;
    assert.equal(name("students.replicas=5"), name());
    assert.notEqual(name("students.shmSize=2Gi"), name());
  }));

test("names are short enough however long the release's is", (t) =>
  withHelm(t, (helm) => {
    const release = "a-release-with-as-many-letters-as-helm-lets-it-have-1";
    const values = valuesFiles().filter((file) => /job|spot/.test(file));
    for (const file of values) {
      assert.deepEqual(nameProblems(render(helm, { release, values: [file], apiVersions: jobSet })), []);
      assert.deepEqual(nameProblems(render(helm, { release, values: [file], set: ["students.kind=job"] })), []);
    }
  }));

test("only the design's paths are open", (t) =>
  withHelm(t, (helm) => {
    assert.deepEqual(paths(render(helm)), [
      ...["client -> coordinator:7070", "client -> coordinator:7071", "client -> nats:4222"],
      "coordinator -> nats:4222",
      "nats -> nats:6222",
      ...[
        "students -> coordinator:7070",
        "students -> nats:4222",
        "students -> students:7080",
        "students -> teachers:7080",
      ],
      ...[
        "teachers -> coordinator:7070",
        "teachers -> nats:4222",
        "teachers -> students:7080",
        "teachers -> teachers:7080",
      ],
    ]);
  }));

test("the checks find what is wrong, and what is missing", (t) =>
  withHelm(t, (helm) => {
    const objects = render(helm, { set: faulty });
    assert.deepEqual(problems(objects), []);
    const text = JSON.stringify(objects);
    const missed = (planted: readonly Thing[], what: string, says: RegExp) => {
      const found = problems(planted);
      return found.some((each) => says.test(each)) ? [] : `${what}: ${found.join("; ") || "nothing is found"}`;
    };
    const planted = faults.flatMap(([right, wrong, says]) => {
      assert.ok(text.includes(right), `${right} is not in the rendering`);
      return missed(JSON.parse(text.replace(right, () => wrong)), wrong, says);
    });
    const lost = losses.flatMap(([lost, says]) => {
      const left = objects.filter(({ kind, metadata }) => `${kind} ${metadata.name}` !== lost);
      assert.equal(left.length, objects.length - 1, `${lost} is not in the rendering`);
      return missed(left, `without ${lost}`, says);
    });
    assert.deepEqual([...planted, ...lost], []);
  }));

test("values that make no sense are refused, with what would", (t) =>
  withHelm(t, (helm) => {
    const refused = (set: string, says: RegExp) =>
      assert.throws(() => render(helm, { set: set.split(" ") }), says, set);
    refused("students.replica=3", /'\/students': additional properties 'replica' not allowed/);
    refused("nats.replicas=2", /\/nats\/replicas/);
    refused("nats.external.urls={nats://u:p@host:4222}", /\/nats\/external\/urls/);
    refused("podSecurityContext.runAsNonRoot=false", /runAsNonRoot/);
    refused("nats.enabled=false storage.kind=volume", /the lease needs NATS/);
    refused("nats.enabled=false coordinator.replicas=1", /set storage\.kind=volume/);
    refused("nats.enabled=false nats.external.urlSecret=x", /a depot's URL has no credentials/);
    refused("storage.kind=s3", /needs storage\.s3\.bucket/);
    refused("mode=job", /needs job\.file/);
    refused("mode=job job.file=x students.kind=deployment", /a Deployment does not/);
    // More than 366 days, which `--patience` does not take.
    for (const patience of ["367d", "9000h", "600000m", "40000000s", "0s", "30"])
      refused(`job.patience=${patience}`, /\/job\/patience/);
    for (const patience of ["366d", "90d", "9d", "48h", "90m", "90s"])
      render(helm, { set: [`job.patience=${patience}`] });
    refused("tls.mode=existing", /needs tls\.existing\.coordinator/);
    refused("monitoring.podMonitor.enabled=true monitoring.serviceMonitor.enabled=true", /twice/);
    refused("auth.workerTokenSecret=x", /nobody can check/);
  }));

test("every value has its place in the schema, and what is in the schema is in values.yaml", () => {
  const schema = JSON.parse(readFileSync(`${chart}/values.schema.json`, "utf8"));
  const values = parse(readFileSync(`${chart}/values.yaml`, "utf8"));
  const compare = (at: string, { properties, $ref }: Thing, value: Thing) => {
    const own = $ref ? schema.$defs[$ref.slice("#/$defs/".length)].properties : properties;
    if (!own || at === ".podSecurityContext" || /\.(affinity|requests|limits|resources)$/.test(at)) return;
    const names = Object.keys(own).filter((name) => name !== "global");
    assert.deepEqual(names.sort(), Object.keys(value).sort(), `values${at}`);
    for (const name of names) if (value[name] !== null) compare(`${at}.${name}`, own[name], value[name]);
  };
  compare("", schema, values);
});

test("rules, dashboards and the metric that teachers are scaled by are Limbeck's own", (t) =>
  withHelm(t, (helm) => {
    const set = ["prometheusRule", "dashboards", "scrapeConfig"].map((each) => `monitoring.${each}.enabled=true`);
    const objects = render(helm, { set: [...set, "teachers.autoscaling.kind=keda"] });
    const groups = objects.find(({ kind }) => kind === "PrometheusRule").spec.groups;
    const rules = groups.flatMap(({ rules }: Thing) => rules);
    assert.deepEqual(rules, [...rulesOf("rules.yml"), ...rulesOf("alerts.yml")]);
    const dashboards = objects.filter(({ metadata }) => metadata.labels.grafana_dashboard === "1");
    assert.equal(dashboards.length, 4);
    for (const { data } of dashboards) assert.ok(JSON.parse(Object.values<string>(data)[0]!).panels.length > 0);
    const [{ metadata }] = objects.find(({ kind }) => kind === "ScaledObject").spec.triggers;
    assert.deepEqual(metricsIn(metadata.query), ["limbeck_teacher_queue_examples"]);
  }));

test("what the notes say to type can be typed, and what they name is there", (t) =>
  withHelm(t, (helm) => {
    const folder = ["nats.enabled=false", "coordinator.replicas=1", "storage.kind=volume"];
    for (const set of [[], ["tls.mode=none", "networkPolicy.enabled=false"], folder]) {
      const text = notes(helm, { set }).replaceAll("\\\n", "");
      const [, typed = ""] = /^ *limbeck (submit .*)$/m.exec(text) ?? [];
      assert.equal(refusalOf(typed.trim().split(/ +/)), "", typed);
      const objects = render(helm, { set });
      const there = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      const [, service] = / port-forward service\/(\S+) 7071$/m.exec(text)!;
      assert.ok(there.includes(`Service ${service}`), service);
      const [, secret] = / the Secret (\S+) at \/tls/.exec(text) ?? [];
      assert.equal(secret !== undefined, !set.includes("tls.mode=none"));
      const secrets = objects.filter(({ kind }) => kind === "Certificate").map(({ spec }) => spec.secretName);
      if (secret !== undefined) assert.ok(secrets.includes(secret), secret);
      assert.equal(/whoever reaches the ports may submit/.test(text), set.includes("tls.mode=none"));
    }
  }));

test("NATS' passwords are random, each pod has its own, and only the server has all", (t) =>
  withHelm(t, (helm) => {
    const passwords = (objects: readonly Thing[]): string[] =>
      Object.values(objects.find(({ kind }) => kind === "Secret")?.data ?? {});
    const [one, other] = [passwords(render(helm)), passwords(render(helm))];
    assert.equal(new Set([...one, ...other]).size, 8, "four users, and others each time");
    for (const each of one) assert.match(Buffer.from(each, "base64").toString(), /^p[A-Za-z0-9]{31}$/);
    const named = render(helm, { set: ["nats.auth.existingSecret=mine"] });
    assert.deepEqual(passwords(named), []);
    const keys = podsOf(named).map((pod) => [
      componentOf(pod),
      ...pod.spec.containers[0].env.flatMap(({ valueFrom }: Thing) =>
        valueFrom?.secretKeyRef?.name === "mine" ? valueFrom.secretKeyRef.key : [],
      ),
    ]);
    assert.deepEqual(keys.sort(), [
      ["client", "client"],
      ["coordinator", "coordinator", "depot"],
      ["nats", "coordinator", "worker", "client", "depot"],
      ["students", "worker", "depot"],
      ["teachers", "worker", "depot"],
    ]);
  }));

test("nats-server takes its configuration, of one and of three", (t) =>
  withHelm(t, (helm) => {
    const folder = mkdtempSync(join(tmpdir(), "limbeck-chart-"));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const replicas of [1, 3]) {
      const objects = render(helm, { set: [`nats.replicas=${replicas}`] });
      const config = objects.find(({ data }) => data?.["nats.conf"]);
      writeFileSync(`${folder}/nats.conf`, config.data["nats.conf"]);
      const { error, status, stderr } = spawnSync("nats-server", ["-t", "-c", `${folder}/nats.conf`], {
        env: { ...process.env, ...natsEnvironment(objects) },
        encoding: "utf8",
      });
      if (error) return t.skip("nats-server is not installed");
      assert.equal(status, 0, stderr);
    }
  }));

test("what is made of the sources is as they are now; kustomize builds the base, and it keeps to the same rules", (t) => {
  const kubectl = findTool("kubectl");
  if ("why" in kubectl) return t.skip(kubectl.why);
  execFileSync(process.execPath, [packagePath("deploy/helm/generate.mjs"), "--check"], { stdio: "pipe" });
  const objects = parsed(said(kubectl.path, ["kustomize", packagePath("deploy/kustomize/base")]));
  assert.ok(objects.length > 20);
  assert.deepEqual(problems(objects), []);
  assert.ok(objects.every(({ metadata }) => metadata.namespace === "limbeck"));
});
