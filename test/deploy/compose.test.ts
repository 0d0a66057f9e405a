/** No Docker runs here: the compose file is held to what it names, which are folders, volumes, ports, variables and options. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { program } from "../../cli/program.ts";
import { usualCluster } from "../../proto/cluster.ts";
import { packageVersion } from "../../proto/package.ts";
import { certificatesOf } from "../../proto/security/certificates.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { composition } from "./compose/processes.ts";
import {
  deploy,
  interpolated,
  limbecks,
  mountsOf,
  networks,
  services,
  startedWith,
  volumes,
  yamlOf,
} from "./compose/services.ts";

const coordinators = startedWith("coordinator");
const workers = startedWith("worker");
/** By command, the role in the certificate that it shows. */
const roles: Readonly<Record<string, string>> = { coordinator: "coordinator", worker: "worker", submit: "submitter" };
const shown = limbecks.filter(([, { command }]) => command?.[0] !== "certs");

/** The value of --name=value. */
function option(command: readonly string[], name: string): string {
  const found = command.find((each) => each.startsWith(`--${name}=`));
  assert.ok(found, `--${name} in ${command.join(" ")}`);
  return found.slice(name.length + 3);
}

const portOf = (endpoint: string) => endpoint.split(":").at(-1)!;

test("two coordinators, workers, a job, NATS, Prometheus and Grafana are there, and wait for what is there", () => {
  assert.deepEqual(Object.keys(services).sort(), [
    ...["certificates", "coordinator-1", "coordinator-2", "grafana", "job", "nats", "prometheus"],
    ...["student-1", "student-2", "teacher-1"],
  ]);
  for (const [name, { depends_on = {}, image, healthcheck, build }] of Object.entries(services)) {
    for (const [each, { condition }] of Object.entries(depends_on)) {
      const other = services[each];
      assert.ok(other, `${name} waits for ${each}`);
      if (condition === "service_healthy") assert.ok(other.healthcheck ?? other.build, `${each}'s health`);
      else assert.deepEqual([condition, other.restart], ["service_completed_successfully", undefined], `${each} ends`);
    }
    if (build) assert.equal(interpolated(image), `limbeck:${packageVersion}`, name);
    else assert.match(image, /^[a-z/]+:v?\d+\.\d+\.\d+/, `${name}: a version is given`);
    assert.ok(build || healthcheck, `${name} has a health check, Limbeck's is the image's`);
    if (build) assert.ok(existsSync(resolve(deploy, build.context, build.dockerfile)));
  }
});

test("every service is confined: it writes only volumes and /tmp, has no capability, gets none, and has limits", () => {
  for (const [name, service] of Object.entries(services)) {
    assert.equal(service.read_only, true, name);
    assert.equal(service.privileged, undefined, name);
    assert.deepEqual([service.cap_drop, service.cap_add], [["ALL"], undefined], name);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
    assert.deepEqual(service.tmpfs, ["/tmp"], name);
    assert.deepEqual(Object.keys(service.deploy?.resources.limits ?? {}), ["cpus", "memory", "pids"], name);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, `${name}: for this machine only`);
  }
});

test("volumes are mounted where the image has a folder of its user's, so that it may write them, and read its keys", () => {
  for (const [name, { user, build }] of limbecks) {
    const dockerfile = readFileSync(resolve(deploy, build!.context, build!.dockerfile), "utf8");
    const [, uid] = /^USER (.*)$/m.exec(dockerfile)!;
    assert.equal(user, uid, name);
    const [owner, group] = uid!.split(":");
    const [, made = ""] =
      new RegExp(`install --directory --owner=${owner} --group=${group} --mode=0770 (.*) \\\\`).exec(dockerfile) ?? [];
    for (const { source, target } of mountsOf(services[name]!))
      if (source in volumes) assert.ok(made.split(" ").includes(target), `${name}: ${target}`);
  }
});

test("what is published is on a network that leads out, and what is not has no way out", () => {
  assert.equal(networks["cluster"]!.internal, true);
  for (const [name, service] of Object.entries(services)) {
    if (service.network_mode !== undefined) {
      assert.deepEqual([service.network_mode, service.networks, service.ports], ["none", undefined, undefined], name);
      continue;
    }
    for (const each of service.networks!) assert.ok(each in networks, `${name}: ${each}`);
    assert.equal(service.networks!.includes("pages"), service.ports !== undefined, name);
  }
});

test("nothing is said to be insecure; each shows the certificate of its role, which it can only read", () => {
  const text = readFileSync(resolve(deploy, "compose.yaml"), "utf8");
  assert.doesNotMatch(text, /insecure/i);
  for (const [name, service] of shown) {
    const { command = [], environment = {} } = service;
    const files = ["CA", "CERT", "KEY"].map((part) => environment[`LIMBECK_TLS_${part}`]);
    const role = roles[command[0]!]!;
    assert.deepEqual(files, ["/tls/ca.pem", `/tls/${role}.pem`, `/tls/${role}.key`], name);
    const mount = mountsOf(service).find(({ target }) => target === "/tls");
    assert.deepEqual(mount, { source: "tls", target: "/tls", isReadOnly: true }, name);
  }
  for (const [name, { depends_on = {} }] of [...coordinators, ...workers])
    assert.equal(depends_on["certificates"]?.condition, "service_completed_successfully", name);
});

test("the first `up` makes certificates, and every next one keeps them", async (t) => {
  const folder = await scratchFolder(t);
  const [[name, maker]] = startedWith("certs") as [(typeof limbecks)[number]];
  assert.deepEqual(mountsOf(maker), [{ source: "tls", target: option(maker.command!, "out"), isReadOnly: false }]);
  const up = async () => {
    const { code, stderr } = await (await composition(t, folder).run(name)).outcome;
    assert.equal(code, 0, stderr);
    const its = readdirSync(join(folder, "tls")).map((file) => join(folder, "tls", file));
    return Object.fromEntries(its.map((file) => [file, readFileSync(file, "utf8")]));
  };
  const made = await up();
  assert.deepEqual(await up(), made);

  for (const [each, { command = [], environment = {} }] of shown) {
    const here = (part: string) => environment[`LIMBECK_TLS_${part}`]!.replace("/tls", join(folder, "tls"));
    const files = { ca: here("CA"), cert: here("CERT"), key: here("KEY") };
    assert.deepEqual(certificatesOf(files).identity, { cluster: usualCluster, roles: [roles[command[0]!]] }, each);
    // All containers have one user.
    assert.equal(statSync(files.key).mode & 0o777, 0o600, each);
  }
});

test("every volume is declared, and every folder that is mounted is in the repository", () => {
  const used = new Set<string>();
  for (const [name, service] of Object.entries(services)) {
    for (const { source } of mountsOf(service)) {
      if (source.startsWith(".")) assert.ok(existsSync(resolve(deploy, source)), `${name}: ${source}`);
      else used.add(source);
    }
  }
  assert.deepEqual([...used].sort(), Object.keys(volumes).sort());
});

/** undefined where there is no such option. */
function requiresValue(command: Command, flag: string): boolean | undefined {
  return command.options.find(({ long }) => long === flag)?.required;
}

test("Limbeck has the commands, options and variables that are used", () => {
  for (const [name, { command = [], environment = {} }] of limbecks) {
    const there = program().commands.find((each) => each.name() === command[0]);
    assert.ok(there, `${name}: ${command[0]}`);
    for (const each of command.filter((word) => word.startsWith("--"))) {
      const flag = each.split("=")[0]!;
      assert.equal(requiresValue(there, flag), each.includes("="), `${name}: ${each}`);
    }
    for (const variable of Object.keys(environment))
      assert.ok(
        there.options.some(({ envVar }) => envVar === variable),
        `${name}: ${variable}`,
      );
  }
});

test("coordinators keep what must survive in NATS, share their folder, and tell others where they are", () => {
  assert.equal(coordinators.length, 2);
  for (const [name, { command = [], ports = [], environment = {}, volumes: mounts = [] }] of coordinators) {
    assert.equal(option(command, "name"), name);
    assert.equal(option(command, "advertise"), `${name}:${portOf(option(command, "listen"))}`);
    assert.ok(mounts.includes(`state:${option(command, "state")}`));
    assert.equal(environment["LIMBECK_NATS"], "nats://nats:4222");
    assert.ok(
      ports.some((port) => port.endsWith(`:${portOf(option(command, "http"))}`)),
      "its pages are published",
    );
  }
});

test("workers and the job find who leads by NATS, and workers tell others where they are", () => {
  assert.equal(workers.length, 3);
  const [, job] = startedWith("submit")[0]!;
  for (const { environment = {} } of [job, ...workers.map(([, worker]) => worker)])
    assert.equal(environment["LIMBECK_NATS"], "nats://nats:4222");
  const folder = option(coordinators[0]![1].command!, "state");
  for (const [name, { command = [], volumes: mounts = [] }] of workers) {
    assert.equal(option(command, "name"), name);
    assert.equal(option(command, "advertise"), `${name}:${portOf(option(command, "listen"))}`);
    assert.match(option(command, "http"), /^0\.0\.0\.0:/, `${name}: Prometheus reaches it`);
    assert.match(name, new RegExp(`^${option(command, "role")}-`));
    assert.ok(mounts.includes(`state:${folder}`), `${name} sees the coordinators' folder`);
    assert.ok(
      mounts.some((mount) => mount.startsWith("cache:")),
      `${name} keeps soft targets`,
    );
  }
});

test("Prometheus asks the coordinator, Grafana asks Prometheus, and is given the dashboards where it looks", () => {
  const { scrape_configs } = yamlOf("prometheus/prometheus.yml");
  const asked = scrape_configs[0].http_sd_configs.map(({ url }: { readonly url: string }) => url);
  assert.deepEqual(
    asked,
    coordinators.map(([name, { command = [] }]) => `http://${name}:${portOf(option(command, "http"))}/targets`),
  );
  const { datasources } = yamlOf("grafana/provisioning/datasources/prometheus.yaml");
  assert.equal(datasources[0].url, "http://prometheus:9090");
  assert.equal(datasources[0].jsonData.timeInterval, yamlOf("prometheus/prometheus.yml").global.scrape_interval);
  const { providers } = yamlOf("grafana/provisioning/dashboards/limbeck.yaml");
  const { volumes: mounts = [], environment = {} } = services["grafana"]!;
  const { path } = providers[0].options;
  assert.ok(mounts.includes(`./grafana/dashboards:${path}:ro`));
  const home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]!;
  assert.ok(existsSync(home.replace(path, `${deploy}/grafana/dashboards`)), home);
});
