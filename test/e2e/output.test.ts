/** Every command that prints has -o json, and prints nothing but JSON then: one value, or lines where it streams. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Command } from "commander";
import { program } from "../../cli/program.ts";
import { cast, started } from "../coordinator/sessions.ts";
import { scratchFolder, start } from "./limbeck.ts";

interface Case {
  readonly args: readonly string[];
  /** 0 where it is not said. */
  readonly code?: number;
  /** What it streams is JSON line by line. */
  readonly lines?: true;
}

/** It takes long, and the test of this name parses what it prints. */
interface Elsewhere {
  readonly elsewhere: string;
}

/** By command. `RUN` is the folder of a finished run, `COORDINATOR` one that is gathering. */
const cases: Readonly<Record<string, Case | Elsewhere>> = {
  run: { args: ["RUN/job.yaml", "--resume", "RUN"], lines: true },
  doctor: { args: ["--engine", "wasm"] },
  plan: { elsewhere: "long/plan.test.ts" },
  submit: { elsewhere: "jobs.test.ts" },
  list: { elsewhere: "jobs.test.ts" },
  cancel: { elsewhere: "jobs.test.ts" },
  pause: { elsewhere: "jobs.test.ts" },
  resume: { elsewhere: "jobs.test.ts" },
  delete: { elsewhere: "jobs.test.ts" },
  artifacts: { elsewhere: "jobs.test.ts" },
  "token create": { elsewhere: "tls.test.ts" },
  "cache ls": { args: ["--dir", "RUN/no-cache"] },
  "cache verify": { args: ["--dir", "RUN/no-cache"] },
  "cache rm": { args: ["--dir", "RUN/no-cache", "--all"] },
  report: { args: ["RUN"] },
  schema: { args: [] },
  status: { args: [] },
  workers: { args: [] },
  logs: { args: [], lines: true },
  top: { args: [] },
  coordinator: { args: ["RUN/job.yaml", "--state", "RUN"], lines: true },
  worker: { args: ["--coordinator", "COORDINATOR", "--role", "student", "--name", "w"], code: 1, lines: true },
};

/** They make files, and print where they are. */
const makers: readonly string[] = ["certs", "token key"];

function leaves(command: Command, path: readonly string[] = []): (readonly [string, Command])[] {
  if (command.commands.length === 0) return [[path.join(" "), command]];
  return command.commands.flatMap((each) => leaves(each, [...path, each.name()]));
}

test("every command takes -o json, and is tried here", () => {
  const all = leaves(program()).filter(([name]) => !makers.includes(name));
  assert.deepEqual(all.map(([name]) => name).sort(), Object.keys(cases).sort());
  for (const [name, command] of all) {
    const option = command.options.find(({ long, short }) => long === "--output" && short === "-o");
    assert.ok(option?.argChoices?.includes("json"), name);
  }
});

async function finishedFolder(t: TestContext): Promise<string> {
  const coordinator = await started(t);
  await cast(t, coordinator);
  await coordinator.finished;
  await coordinator.close();
  return coordinator.folder;
}

test("what is printed with -o json is JSON", { timeout: 240_000 }, async (t) => {
  const run = await finishedFolder(t);
  const gathering = await started(t);
  const scratch = await scratchFolder(t);
  for (const [name, each] of Object.entries(cases)) {
    if ("elsewhere" in each) continue;
    const { args, code = 0, lines } = each;
    await t.test(name, async () => {
      const given = args.map((arg) => arg.replace("RUN", run).replace("COORDINATOR", gathering.address));
      const env = { LIMBECK_COORDINATOR: gathering.address, TMPDIR: scratch };
      const { outcome } = start([...name.split(" "), ...given, "-o", "json"], env);
      const found = await outcome;
      assert.equal(found.code, code, `${found.stderr}${found.stdout}`);
      const texts = lines ? found.stdout.trimEnd().split("\n").filter(Boolean) : [found.stdout];
      for (const text of texts) assert.equal(typeof JSON.parse(text), "object", text);
      if (name !== "logs") assert.ok(texts.length > 0, "it printed something");
    });
  }
});

test("--json is understood as -o json, for scripts that say so", async (t) => {
  const { address } = await started(t);
  const { code, stdout } = await start(["workers", "--json", "--coordinator", address]).outcome;
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), []);
});

const refusals: readonly (readonly string[])[] = [
  ["status", "-o", "yaml"],
  ["status", "--coordinator", "nowhere"],
  ["workers", "--sort", "weight"],
  ["logs", "-n", "0"],
  ["logs", "--since", "yesterday"],
  ["top", "--interval", "0"],
  ["top"],
  ["schema", "--markdown", "-o", "json"],
];

for (const args of refusals) {
  test(`limbeck ${args.join(" ")} is refused with a sentence and exit code 2`, async () => {
    const { code, stdout, stderr } = await start(args).outcome;
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^(error|limbeck): .+/);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });
}

test("where no coordinator answers a sentence says so, exit code 1", async () => {
  for (const name of ["status", "workers", "logs", "top"]) {
    const args = name === "top" ? [name, "--once"] : [name];
    const { code, stderr } = await start([...args, "--coordinator", "127.0.0.1:1"]).outcome;
    assert.equal(code, 1);
    assert.equal(stderr.split("\n").length, 2, stderr);
    assert.match(stderr, /^limbeck: no coordinator answers at 127\.0\.0\.1:1; /);
  }
});
