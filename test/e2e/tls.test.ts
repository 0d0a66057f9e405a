/** A service by mTLS with tokens, as somebody starts it by hand: it works, it refuses, and it keeps its secrets. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openChromium } from "../chromium.ts";
import { freeAddress } from "../freeport.ts";
import { answerTo, assertBears, request, statusesIn } from "../hostilehttp.ts";
import { startNats } from "../natsserver.ts";
import { authority, cluster, leaf } from "../security/cluster.ts";
import { limbeck, type Outcome, type Running, scratchFolder, start } from "./limbeck.ts";
import { Said } from "./said.ts";

const bounded = { timeout: 120_000 };

interface Secured {
  readonly folder: string;
  file(name: string, text: string): string;
  /** Options of whoever has this certificate. */
  tls(name: string): string[];
  /** What must be said nowhere. */
  readonly secrets: Map<string, string>;
}

async function secured(t: TestContext): Promise<Secured> {
  const folder = await scratchFolder(t);
  const secrets = new Map<string, string>();
  const ca = await authority(folder);
  for (const role of ["coordinator", "worker", "submitter", "viewer"] as const) {
    const { pem } = await leaf(ca, role, { roles: [role] });
    secrets.set(`the key of ${role}`, pem.key.split("\n")[1]!);
  }
  const member = await leaf(ca, "member", { roles: [] });
  secrets.set("the key of member", member.pem.key.split("\n")[1]!);
  return {
    folder,
    secrets,
    file(name, text) {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    tls: (name) => {
      const [cert, key] = [`${name}.pem`, `${name}.key`].map((each) => join(folder, each)) as [string, string];
      return ["--tls-ca", ca.file, "--tls-cert", cert, "--tls-key", key];
    },
  };
}

const small = ["dataset.limit=256", "dataset.testLimit=100", "teach.epochs=1", "distil.epochs=1", "baseline=false"];

test(
  "a job over mTLS, by a worker that joined with a token; strangers are refused; no secret is said",
  bounded,
  async (t) => {
    const { folder, file, tls, secrets } = await secured(t);
    const saying: Running[] = [];
    const begin = (args: string[], env: Record<string, string> = {}) => {
      const running = start(args, { AWS_SECRET_ACCESS_KEY: "planted-s3-secret", ...env });
      saying.push(running);
      t.after(() => void running.process.kill("SIGKILL"));
      return running;
    };
    for (const [name, text] of Object.entries({
      http: "planted-http-token-1",
      worker: "planted-http-token-2",
      nats: "planted-nats-pass",
    }))
      secrets.set(name, text);
    secrets.set("s3", "planted-s3-secret");
    const users = `authorization { user: limbeck, password: "planted-nats-pass" }`;
    const nats = (await startNats(t, { lines: [users] })).url.replace("//", "//limbeck:planted-nats-pass@");

    assert.equal((await limbeck("token", "key", "--out", join(folder, "token.key"))).code, 0);
    secrets.set("the key of tokens", readFileSync(join(folder, "token.key"), "utf8").split("\n")[1]!);
    const made = ["token", "create", "--role", "worker", "--key", join(folder, "token.key"), "--cluster", cluster];
    const { stdout: token, stderr } = await limbeck(...made);
    const [, id] = /^token (\w+): worker of the cluster alpha until/.exec(stderr)!;
    secrets.set("the token", token.trim().split(".")[2]!);
    assert.ok(id);

    const [at, pages] = [await freeAddress(), await freeAddress()];
    const [workerPages, health] = [await freeAddress(), await freeAddress()];
    const coordinator = begin([
      ...["coordinator", "--state", join(folder, "state"), "--listen", at, "--http", pages, "-o", "json"],
      ...["--nats", nats, "--cluster", cluster, "--health", health, ...tls("coordinator")],
      ...["--http-token-file", file("http", "planted-http-token-1"), "--token-key", join(folder, "token.key.pub")],
      ...["--revoked-tokens", file("revoked", "")],
    ]);
    const said = new Said(coordinator);
    await said.until(/"event":"leading"/);
    const told = { LIMBECK_COORDINATOR: at };
    const worker = begin(
      [
        ...["worker", "--name", "by-token", "-o", "json", ...tls("member"), "--token-file", file("token", token)],
        ...["--token-key", join(folder, "token.key.pub"), "--cluster", cluster],
        ...["--http", workerPages, "--http-token-file", file("workerhttp", "planted-http-token-2")],
      ],
      told,
    );
    const ask = (...args: string[]) => begin(args, told).outcome;
    const job = [
      "submit",
      "examples/smoke.yaml",
      ...[...small, "workers.students=1", "workers.teachers=1"].flatMap((each) => ["--set", each]),
      ...["--nats", nats, "--cluster", cluster],
    ];
    const second = begin(
      [
        "worker",
        "--name",
        "by-certificate",
        "-o",
        "json",
        "--devices",
        "cpu",
        ...tls("worker"),
        "--token-key",
        join(folder, "token.key.pub"),
      ],
      { LIMBECK_NATS: nats, LIMBECK_CLUSTER: cluster },
    );
    const notes = new Said(second, "stderr");
    await notes.until(/supervisor: process \d+ started/);
    const [, supervised] = /supervisor: process (\d+) started/.exec(notes.text)!;
    // What all users of a machine see.
    const seen = readFileSync(`/proc/${supervised}/cmdline`, "utf8");
    assert.match(seen, /\0worker\0/);
    assert.ok(!seen.includes("planted"), seen);
    const submitted = ask(...job, ...tls("submitter"));

    const [watched, looksOn, plain, plainList, away, listening, short, mixed, halfway] = await Promise.all([
      ask("worker", ...tls("viewer")),
      ask("submit", "examples/smoke.yaml", ...tls("viewer"), "--no-wait"),
      ask("worker"),
      ask("list"),
      ask("worker", "--coordinator", "10.0.0.1:7070"),
      ask("coordinator", "--state", join(folder, "other"), "--listen", "0.0.0.0:0", "--advertise", "a:1"),
      ask(
        "coordinator",
        "--state",
        join(folder, "other"),
        "--listen",
        "127.0.0.1:0",
        "--http-token-file",
        file("short", "planted"),
      ),
      ask("list", ...tls("viewer").with(5, join(folder, "http"))),
      ask("list", ...tls("viewer").slice(0, 4)),
    ]);
    const refused = (outcome: Outcome, code: number, message: RegExp) => {
      assert.match(outcome.stderr, message);
      assert.equal(outcome.code, code, outcome.stderr);
      assert.equal(outcome.stderr.trim().split("\n").length, 1, outcome.stderr);
    };
    refused(
      watched,
      1,
      /^limbeck: Coordinator\.Join takes the role worker, and the certificate has the role viewer; no token came$/m,
    );
    refused(
      looksOn,
      1,
      /^limbeck: Jobs\.Submit takes the role submitter, and the certificate has the role viewer; no token came$/m,
    );
    for (const outcome of [plain, plainList])
      refused(outcome, 1, /^limbeck: the coordinator at \S+ speaks TLS: give --tls-ca, --tls-cert and --tls-key$/m);
    refused(away, 2, /^limbeck: the coordinator at 10\.0\.0\.1:7070 is called without TLS: give --tls-ca/m);
    assert.match(listening.stderr, /^limbeck: 0\.0\.0\.0:0 is listened on without TLS: give --tls-ca/m);
    assert.equal(listening.code, 2);
    refused(short, 2, /--http-token-file: \S+ must hold one token of 16 or more characters/);
    refused(mixed, 2, /--tls-key: \S+ holds no private key in PEM/);
    refused(halfway, 2, /^limbeck: --tls-key is missing: TLS takes --tls-ca, --tls-cert and --tls-key, all three$/m);
    await said.until(/a call is refused: Coordinator\.Join takes the role worker/);

    for (const address of [pages, workerPages]) {
      // A worker opens it before it joins.
      while (statusesIn(await answerTo(address, request("/healthz")))[0] !== 200) await sleep(50);
      await assertBears(address);
    }

    const outcome = await submitted;
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match((await ask("list", "--all", ...tls("viewer"))).stdout, /smoke.*done/);
    assert.match(outcome.stdout, /limbeck logs \S+ --nats nats:\/\/…@127\.0\.0\.1:\d+/);

    const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });
    const served: string[] = [];
    const [, name] = /^(smoke-\w+):/m.exec(outcome.stdout)!;
    for (const path of [
      "/",
      "/state",
      "/metrics",
      "/targets",
      "/cluster",
      `/jobs/${name}/`,
      `/jobs/${name}/metrics`,
      `/jobs/${name}/state`,
    ])
      served.push(await (await fetch(`http://${pages}${path}`, bearer("planted-http-token-1"))).text());
    served.push(await (await fetch(`http://${pages}/state`)).text());
    await loggedIn(t, `http://${pages}/`);
    for (const { process: child } of [worker, second]) child.kill("SIGTERM");
    await Promise.all([worker, second].map((each) => each.outcome));
    coordinator.process.kill("SIGTERM");
    const outcomes = await Promise.all(saying.map((each) => each.outcome));
    const all = [
      said.text,
      ...served,
      ...outcomes.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      ...writtenIn(join(folder, "state")),
    ];
    for (const [what, secret] of secrets)
      for (const text of all) assert.ok(!text.includes(secret), `${what} is said: ${text.slice(0, 300)}`);
  },
);

/** All that a service has written: journals, events, reports. */
function writtenIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"));
}

/** A browser is asked for the token once; the page then works as it does without one. */
async function loggedIn(t: TestContext, url: string): Promise<void> {
  const browser = await openChromium();
  if (!browser) return t.diagnostic("no Chromium on this machine");
  try {
    const page = await browser.newPage();
    const troubles: string[] = [];
    page.on("pageerror", (error) => troubles.push(error.message));
    page.on("console", (line) => line.type() === "error" && !/401/.test(line.text()) && troubles.push(line.text()));
    await page.goto(url);
    await page.fill("input[name=token]", "planted-http-token-1");
    await page.click("button");
    await page.getByText("smoke-").first().waitFor();
    assert.deepEqual(troubles, []);
  } finally {
    await browser.close();
  }
}
