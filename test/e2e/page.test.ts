/** The live page in a real browser, on a real job: it loads, moves, and outlives a coordinator that is killed. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { JobStatus } from "../../coordinator/status.ts";
import { assertReachable, loadedBytes, troublesOf, until } from "../browserpage.ts";
import { openChromium } from "../chromium.ts";
import { freeAddress } from "../freeport.ts";
import { begunRun, childrenOf, waiting } from "./limbeck.ts";

const bounded = { timeout: 180_000 };
const mostLoadBytes = 300_000;

test("the page of a running job loads, moves, and goes on when the coordinator was killed", bounded, async (t) => {
  const browser = await openChromium();
  if (!browser) return t.skip("no Chromium on this machine");
  t.after(() => browser.close());
  const endless = ["teach.epochs=1", `student=${waiting}`, "distil.epochs=100000"];
  const http = await freeAddress();
  const run = await begunRun(t, ...endless.flatMap((each) => ["--set", each]), "--http", http);
  const shots = join(tmpdir(), "limbeck-page");
  await mkdir(shots, { recursive: true });
  t.diagnostic(`screenshots: ${shots}`);

  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const troubles = troublesOf(page);
  const first = `document.querySelectorAll("#workerRows tr").length > 0`;
  const loaded = await loadedBytes(page, { url: `http://${http}/`, until: first });
  t.diagnostic(`first load: ${loaded} bytes`);
  assert.ok(loaded < mostLoadBytes, `${loaded} bytes`);
  await until(page, `document.getElementById("state").textContent === "running: student"`);
  await moves(page);
  assert.match(await page.title(), /^\d+ % · smoke · Limbeck$/);
  assert.equal(await page.locator("#workerRows tr").count(), 3);
  await until(page, `document.querySelectorAll("#charts figure:not([hidden]) canvas").length >= 5`);
  assert.deepEqual(troubles, []);

  const coordinator = childrenOf(run.process.pid!).find(isCoordinator)!;
  process.kill(coordinator, "SIGKILL");
  await until(page, `document.getElementById("connection").textContent.startsWith("connection lost")`);
  await until(page, `document.getElementById("connection").textContent === "live"`);
  await until(page, `document.getElementById("marks").textContent.includes("restarts of the coordinator")`);
  await moves(page);
  // Steps that it had not seen yet may come before the workers do.
  await until(page, `document.querySelectorAll("#workerRows tr").length === 3`);
  const status = (await (await fetch(`http://${http}/state`)).json()) as JobStatus;
  assert.equal(status.workers.length, 3);
  // That nobody answered for a moment, the browser says, too.
  assert.deepEqual(
    troubles.filter((trouble) => !/net::ERR_.* \S*\/events/.test(trouble)),
    [],
  );

  for (const [name, colorScheme, width] of [
    ["light", "light", 1200],
    ["dark", "dark", 1200],
    ["phone", "light", 390],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 850 });
    await moves(page);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width, "no scrolling sideways");
    await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  }
  const names = ["Skip to the job", "workerFilter", "logFilter", "logFaults", "marks", "lines", "Workers"];
  await assertReachable(page, { names, presses: 40 });
  assert.ok(run.process.kill("SIGTERM"));
  await until(page, `document.getElementById("connection").textContent === "the job is over"`);
});

/** The step goes on, and with it the newest values. */
async function moves(page: Page): Promise<void> {
  const step = `Number(document.querySelector("#values tr:last-child td").textContent.replaceAll(",", "")) || 0`;
  const before = Number(await page.evaluate(step));
  await until(page, `${step} > ${before}`);
}

function isCoordinator(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("coordinator");
}
