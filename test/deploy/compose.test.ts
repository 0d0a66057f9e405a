/** No Docker runs here: the compose file is held to what it names, which are folders, volumes, ports and options. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { packagePath } from "../../proto/package.ts";

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const deploy = packagePath("deploy");
const yaml = (path: string) => parse(readFileSync(resolve(deploy, path), "utf8"), { merge: true });
const { services, volumes } = yaml("compose.yaml") as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const workers = Object.entries(services).filter(([, { command }]) => command?.[0] === "worker");

/** The value of --name=value. */
function option(command: readonly string[], name: string): string {
  const found = command.find((each) => each.startsWith(`--${name}=`));
  assert.ok(found, `--${name} in ${command.join(" ")}`);
  return found.slice(name.length + 3);
}

test("coordinator, workers, NATS, Prometheus and Grafana are there, and depend on what is there", () => {
  assert.deepEqual(Object.keys(services).sort(), [
    ...["coordinator", "grafana", "nats", "prometheus", "student-1", "student-2", "teacher-1"],
  ]);
  for (const [name, { depends_on = [], image }] of Object.entries(services)) {
    for (const each of depends_on) assert.ok(each in services, `${name} depends on ${each}`);
    assert.match(image, /^\$\{LIMBECK_IMAGE:-limbeck\}$|^[a-z/]+:v?\d+\.\d+/, `${name}: a version is given`);
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

test("Limbeck has the options that are used", () => {
  for (const [name, { command = [] }] of Object.entries(services)) {
    if (name !== "coordinator" && command[0] !== "worker") continue;
    const argv = [packagePath("dist/cli/main.js"), command[0]!, "--help"];
    const { stdout } = spawnSync(process.execPath, argv, { encoding: "utf8" });
    const options = command.filter((each) => each.startsWith("--"));
    for (const each of options) assert.match(stdout, new RegExp(`${each.split("=")[0]} <`), `${name}: ${each}`);
  }
});

test("workers are told where the coordinator listens, and tell others where they are", () => {
  const { command = [], ports = [] } = services["coordinator"]!;
  const listens = option(command, "listen").split(":")[1];
  const serves = option(command, "http").split(":")[1];
  assert.ok(
    ports.some((port) => port.endsWith(`:${serves}`)),
    "its pages are published",
  );
  assert.equal(workers.length, 3);
  for (const [name, { command = [] }] of workers) {
    assert.equal(option(command, "coordinator"), `coordinator:${listens}`, name);
    assert.equal(option(command, "name"), name);
    assert.equal(option(command, "advertise"), `${name}:${option(command, "listen").split(":")[1]}`);
    assert.match(option(command, "http"), /^0\.0\.0\.0:/, `${name}: Prometheus reaches it`);
    assert.match(name, new RegExp(`^${option(command, "role")}-`));
  }
});

test("off loopback without TLS only because it is said aloud, and nothing but pages leaves the machine", () => {
  for (const [name, { environment = {}, ports = [] }] of Object.entries(services)) {
    if (name === "coordinator" || workers.some(([its]) => its === name))
      assert.equal(environment["LIMBECK_INSECURE"], "1", name);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, `${name}: ${port}`);
  }
});

test("Prometheus asks the coordinator, Grafana asks Prometheus, and is given the dashboards where it looks", () => {
  const { scrape_configs } = yaml("prometheus/prometheus.yml");
  const http = option(services["coordinator"]!.command!, "http").split(":")[1];
  assert.equal(scrape_configs[0].http_sd_configs[0].url, `http://coordinator:${http}/targets`);
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
