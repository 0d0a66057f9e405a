/** No Docker runs here: the compose file is held to what it names, which are folders, volumes, ports and options. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { parse } from "yaml";
import { program } from "../../cli/program.ts";
import { packagePath } from "../../proto/package.ts";

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user?: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, string | number>> } };
}

const deploy = packagePath("deploy");
const yaml = (path: string) => parse(readFileSync(resolve(deploy, path), "utf8"), { merge: true });
const { services, volumes, networks } = yaml("compose.yaml") as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
  networks: Record<string, { internal?: boolean }>;
};
const limbecks = Object.entries(services).filter(([, { build }]) => build);
const started = (command: string) => limbecks.filter(([, service]) => service.command?.[0] === command);
const coordinators = started("coordinator");
const workers = started("worker");

/** The value of --name=value. */
function option(command: readonly string[], name: string): string {
  const found = command.find((each) => each.startsWith(`--${name}=`));
  assert.ok(found, `--${name} in ${command.join(" ")}`);
  return found.slice(name.length + 3);
}

const portOf = (endpoint: string) => endpoint.split(":").at(-1)!;

test("two coordinators, workers, a job, NATS, Prometheus and Grafana are there, and wait for what is there", () => {
  assert.deepEqual(Object.keys(services).sort(), [
    ...[
      "coordinator-1",
      "coordinator-2",
      "grafana",
      "job",
      "nats",
      "prometheus",
      "student-1",
      "student-2",
      "teacher-1",
    ],
  ]);
  for (const [name, { depends_on = {}, image, healthcheck, build }] of Object.entries(services)) {
    for (const [each, { condition }] of Object.entries(depends_on)) {
      assert.equal(condition, "service_healthy", name);
      assert.ok(services[each]?.healthcheck ?? services[each]?.build, `${name} waits for ${each}'s health`);
    }
    assert.match(
      image,
      build ? /^\$\{LIMBECK_IMAGE:-limbeck\}$/ : /^[a-z/]+:v?\d+\.\d+\.\d+/,
      `${name}: a version is given`,
    );
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
  const [, uid] = /^USER (.*)$/m.exec(readFileSync(resolve(deploy, "docker/cpu.Dockerfile"), "utf8"))!;
  for (const [name, { user }] of limbecks) assert.equal(user, uid, name);
});

test("what is published is on a network that leads out, and what is not has no way out", () => {
  assert.equal(networks["cluster"]!.internal, true);
  for (const [name, service] of Object.entries(services)) {
    for (const each of service.networks) assert.ok(each in networks, `${name}: ${each}`);
    assert.equal(service.networks.includes("pages"), service.ports !== undefined, name);
  }
});

test("off loopback without TLS only because it is said aloud, on a network of its own", () => {
  for (const [name, { environment = {}, networks: on }] of limbecks) {
    assert.equal(environment["LIMBECK_INSECURE"], "1", name);
    assert.ok(on.includes("cluster"), name);
  }
});

test("every volume is declared, and every folder that is mounted is in the repository", () => {
  const used = new Set<string>();
  for (const [name, { volumes: mounts = [] }] of Object.entries(services)) {
    for (const mount of mounts) {
      const source = mount.replace(/\$\{\w+:-([^}]*)\}/, "$1").split(":")[0]!;
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

test("Limbeck has the commands and options that are used", () => {
  for (const [name, { command = [] }] of limbecks) {
    const there = program().commands.find((each) => each.name() === command[0]);
    assert.ok(there, `${name}: ${command[0]}`);
    for (const each of command.filter((word) => word.startsWith("--"))) {
      const flag = each.split("=")[0]!;
      assert.equal(requiresValue(there, flag), each.includes("="), `${name}: ${each}`);
    }
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
  const [, job] = started("submit")[0]!;
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
  const { scrape_configs } = yaml("prometheus/prometheus.yml");
  const asked = scrape_configs[0].http_sd_configs.map(({ url }: { readonly url: string }) => url);
  assert.deepEqual(
    asked,
    coordinators.map(([name, { command = [] }]) => `http://${name}:${portOf(option(command, "http"))}/targets`),
  );
  const { datasources } = yaml("grafana/provisioning/datasources/prometheus.yaml");
  assert.equal(datasources[0].url, "http://prometheus:9090");
  assert.equal(datasources[0].jsonData.timeInterval, yaml("prometheus/prometheus.yml").global.scrape_interval);
  const { providers } = yaml("grafana/provisioning/dashboards/limbeck.yaml");
  const { volumes = [], environment = {} } = services["grafana"]!;
  const { path } = providers[0].options;
  assert.ok(volumes.includes(`./grafana/dashboards:${path}:ro`));
  const home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]!;
  assert.ok(existsSync(home.replace(path, `${deploy}/grafana/dashboards`)), home);
});
