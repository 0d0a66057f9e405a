/** No Docker runs here: the Dockerfiles are held to rules, and to the files they name. test/long/image.test.ts runs their steps. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { packagePath, packageVersion } from "../../proto/package.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { faultsOf, stagesOf } from "./dockerfile.ts";

const read = (path: string) => readFileSync(packagePath(path), "utf8");
const dockerfiles = { cpu: read("deploy/docker/cpu.Dockerfile"), gpu: read("deploy/docker/gpu.Dockerfile") };
const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };

interface Locked {
  readonly dev?: boolean;
}

for (const [name, text] of Object.entries(dockerfiles)) {
  test(`${name}.Dockerfile keeps the rules`, () => {
    assert.deepEqual(faultsOf(text), []);
  });

  test(`${name}.Dockerfile copies files that there are, and that Docker is let see`, () => {
    const seen = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    for (const { instructions } of stagesOf(text)) {
      for (const { keyword, flags, words } of instructions) {
        if (keyword !== "COPY" || "from" in flags) continue;
        for (const source of words.slice(0, -1)) {
          assert.ok(existsSync(packagePath(source)), source);
          assert.ok(
            seen.some((each) => source === each || source.startsWith(`${each}/`)),
            `${source} in .dockerignore`,
          );
        }
      }
    }
    assert.match(text, new RegExp(`^ARG VERSION=${packageVersion}$`, "m"));
  });
}

test("the stage of the engine has all that setting it up imports", () => {
  const imported = new Set<string>();
  const follow = (path: string) => {
    if (imported.has(path)) return;
    imported.add(path);
    for (const [, to] of read(path).matchAll(/^(?:import|export)\b[^;]*? from "(\.[^"]+)"/gm))
      follow(join(dirname(path), to!));
  };
  follow("deploy/docker/engine.ts");
  assert.ok(imported.size > 10);
  const { instructions } = stagesOf(dockerfiles.cpu).find(({ name }) => name === "engine")!;
  const copied = instructions.filter(({ keyword }) => keyword === "COPY").flatMap(({ words }) => words.slice(0, -1));
  const isCopied = (path: string) => copied.some((each) => path === each || path.startsWith(`${each}/`));
  assert.deepEqual(
    [...imported].filter((path) => !isCopied(path)),
    [],
  );
});

test("what the rules are for is found", () => {
  const spoiled: [from: RegExp | string, to: string, fault: RegExp][] = [
    ["debian:12.11-slim", "debian:latest", /debian:latest is not an exact version/],
    [/tini=\$\{TINI_VERSION\}/, "tini", /^tini has no version$/],
    ["--no-install-recommends tini", "tini", /only recommended/],
    [/&& rm -rf \S+ \\\n {2}&& groupadd/, "&& groupadd", /apt's lists stay/],
    ["USER 10001:10001", "USER limbeck", /USER limbeck: a number/],
    ["USER 10001:10001", "USER 10001:10001\nUSER 0:0", /USER 0:0/],
    ["COPY --from=app", "COPY --chown=10001 --from=app", /must not be able to change itself/],
    ["COPY tsconfig.json", "ADD https://example.org/x", /^ADD /],
    ["ARG REVISION=unknown", "ARG NPM_TOKEN=x", /a secret stays/],
    [/ENTRYPOINT .*/, "ENTRYPOINT limbeck", /ENTRYPOINT is not tini/],
    [/CMD \["--help"\]/, "CMD --help", /CMD is not in exec form/],
    [/HEALTHCHECK .*/, "", /no HEALTHCHECK/],
    [/ {2}org.opencontainers.image.licenses=.*\n/, "", /label licenses is missing/],
    ["RUN ln -s", "RUN curl -O https://example.org/x && ln -s", /nobody checks/],
    ["RUN ln -s", "RUN chmod 777 /opt && ln -s", /anybody may write/],
    ["WORKDIR /state", "WORKDIR state", /WORKDIR/],
    ["RUN ln -s", "RUNS ln -s", /line \d+: /],
  ];
  for (const [from, to, fault] of spoiled) {
    const text = dockerfiles.cpu.replace(from, to);
    assert.notEqual(text, dockerfiles.cpu, String(from));
    assert.ok(
      faultsOf(text).some((each) => fault.test(each)),
      `${to}: ${faultsOf(text).join("; ")}`,
    );
  }
});

test("the two images differ in the engine, in asking for a GPU, and in nothing else", () => {
  const lines = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const [cpu, gpu] = [lines(dockerfiles.cpu), lines(dockerfiles.gpu)];
  const only = (some: string[], others: string[]) =>
    some.filter((line) => !others.includes(line)).map((line) => line.trim());
  assert.deepEqual(only(cpu, gpu).map(kind), ["engine", "description", "device", "HEALTHCHECK"]);
  assert.deepEqual(only(gpu, cpu).map(kind), [
    "engine",
    "description",
    "device",
    "gpu",
    "visible",
    "capabilities",
    "HEALTHCHECK",
  ]);

  function kind(line: string): string {
    const kinds: [string, RegExp][] = [
      ["engine", /^RUN node deploy\/docker\/build.mjs engine (cpu|cuda) \/out\/engines$/],
      ["description", /^org.opencontainers.image.description=/],
      ["device", /^LIMBECK_ENGINE_DEVICE=(cpu|cuda)$/],
      ["gpu", /^ENV LIMBECK_GPU=required \\$/],
      ["visible", /^NVIDIA_VISIBLE_DEVICES=all \\$/],
      ["capabilities", /^NVIDIA_DRIVER_CAPABILITIES=compute,utility$/],
      ["HEALTHCHECK", /^HEALTHCHECK /],
    ];
    return kinds.find(([, pattern]) => pattern.test(line))?.[0] ?? line;
  }
});

test("the image's last step before it is done has its engine compute, as its user", () => {
  for (const text of Object.values(dockerfiles)) {
    const { instructions } = stagesOf(text).at(-1)!;
    const at = (what: string) =>
      instructions.findIndex(({ keyword, words }) => `${keyword} ${words.join(" ")}`.startsWith(what));
    const doctor = at("RUN limbeck doctor --engine tensorflow");
    assert.ok(doctor > at("USER ") && at("USER ") >= 0);
    const required = at("ENV LIMBECK_GPU=required");
    assert.ok(required < 0 || required > doctor, "no GPU is there to be found while the image is built");
  }
});

test("the bill of materials has what runs, wheels and Debian's packages, and nothing that only builds", async (t) => {
  const folder = await scratchFolder(t);
  const [wheels, dpkg] = [join(folder, "wheels.json"), join(folder, "status")];
  const names = [
    "tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl",
    "nvidia_cudnn_cu12-9.3.0.75-py3-none-manylinux2014_x86_64.whl",
  ];
  writeFileSync(wheels, JSON.stringify(names.map((file) => ({ file, sha256: "ab".repeat(32) }))));
  const paragraph = (name: string, status: string) => `Package: ${name}\nStatus: ${status}\nVersion: 1:2.0-3\n`;
  writeFileSync(
    dpkg,
    [paragraph("tini", "install ok installed"), paragraph("gone", "deinstall ok config-files")].join("\n"),
  );
  const args = ["deploy/docker/sbom.mjs", "--wheels", wheels, "--dpkg", dpkg];
  const bom = JSON.parse(execFileSync(process.execPath, args, { cwd: packagePath("."), encoding: "utf8" })) as Bom;
  const purls = bom.components.map(({ purl }) => purl);
  assert.deepEqual([bom.bomFormat, bom.metadata.component.name], ["CycloneDX", "limbeck"]);
  assert.ok(purls.includes("pkg:pypi/tensorflow@2.21.0") && purls.includes("pkg:pypi/nvidia-cudnn-cu12@9.3.0.75"));
  assert.ok(purls.includes("pkg:deb/debian/tini@1%3A2.0-3") && !purls.some((purl) => purl.includes("gone")));
  const expected = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && !dev);
  const npm = purls.filter((purl) => purl.startsWith("pkg:npm/"));
  assert.ok(npm.some((purl) => purl.startsWith("pkg:npm/zod@")));
  assert.ok(!npm.some((purl) => /\/(typescript|assemblyscript|fast-check)@/.test(purl)));
  assert.ok(npm.length > expected.length / 2 && npm.length <= expected.length, `${npm.length} of ${expected.length}`);
  assert.equal(new Set(bom.components.map((each) => each["bom-ref"])).size, bom.components.length);
});

interface Bom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly { readonly "bom-ref": string; readonly purl: string }[];
}

test("the health check asks where --http says, and says what is wrong", async (t) => {
  const folder = await scratchFolder(t);
  let status = 200;
  const server = createServer((request, response) =>
    response.writeHead(request.url === "/healthz" ? status : 404).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const health = async (...words: string[]) => {
    const file = join(folder, "cmdline");
    writeFileSync(file, words.map((word) => `${word}\0`).join(""));
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, [packagePath("deploy/docker/health.mjs"), file]);
    let said = "";
    child.stdout.on("data", (text) => (said += text));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return [code, said.trim()] as const;
  };
  const tini = ["/usr/bin/tini", "--", "limbeck"];
  assert.deepEqual(await health(...tini, "worker", `--http=0.0.0.0:${port}`), [0, ""]);
  assert.deepEqual(await health(...tini, "worker", "--http", `127.0.0.1:${port}`), [0, ""]);
  assert.deepEqual(await health(...tini, "submit", "job.yaml"), [0, ""]);
  status = 503;
  assert.deepEqual(await health(...tini, "worker", `--http=[::]:${port}`), [
    1,
    `127.0.0.1:${port}/healthz answers 503`,
  ]);
  server.close();
  const [code, said] = await health(...tini, "coordinator", `--http=127.0.0.1:${port}`);
  assert.equal(code, 1);
  assert.match(said, /ECONNREFUSED/);
});
