/** The live page in a real browser, on a real job: it loads, moves, and outlives a coordinator that is killed. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { JobStatus } from "../../coordinator/status.ts";
import { openChromium } from "../chromium.ts";
import { freePort } from "../freeport.ts";
import { begunRun, childrenOf, waiting } from "./limbeck.ts";

const bounded = { timeout: 180_000 };
const mostLoadBytes = 300_000;

test("the page of a running job loads, moves, and goes on when the coordinator was killed", bounded, async (t) => {
  const browser = await openChromium();
  if (!browser) return t.skip("no Chromium on this machine");
  t.after(() => browser.close());
  const endless = ["teach.epochs=1", `student=${waiting}`, "distil.epochs=100000"];
  const { host, port } = await freePort();
  const http = `${host}:${port}`;
  const run = await begunRun(t, ...endless.flatMap((each) => ["--set", each]), "--http", http);
  const shots = join(tmpdir(), "limbeck-page");
  await mkdir(shots, { recursive: true });
  t.diagnostic(`screenshots: ${shots}`);

  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const troubles = troublesOf(page);
  const loaded = await loadedBytes(page, `http://${http}/`);
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
  await reachable(page);
  assert.ok(run.process.kill("SIGTERM"));
  await until(page, `document.getElementById("connection").textContent === "the job is over"`);
});

/** The step goes on, and with it the newest values. */
async function moves(page: Page): Promise<void> {
  const step = `Number(document.querySelector("#values tr:last-child td").textContent.replaceAll(",", "")) || 0`;
  const before = Number(await page.evaluate(step));
  await until(page, `${step} > ${before}`);
}

const deadlineMs = 60_000;

/** Asks again and again, for the page's policy lets nobody put a waiting script into it. */
async function until(page: Page, condition: string): Promise<void> {
  for (const endMs = Date.now() + deadlineMs; !(await page.evaluate(condition)); await page.waitForTimeout(100)) {
    assert.ok(Date.now() < endMs, `${condition}: not in time`);
  }
}

/** All that can be used is reached with the keyboard, has a name, and shows that it is chosen. */
async function reachable(page: Page): Promise<void> {
  await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)");
  const met = new Set<string>();
  for (let press = 0; press < 40; press++) {
    await page.keyboard.press("Tab");
    const [name, outline] = (await page.evaluate(`(() => {
      const { activeElement: at } = document;
      return at === document.body || at === document.documentElement ? ["", ""] : [at.id || at.getAttribute("aria-label") || at.textContent, getComputedStyle(at).outlineStyle];
    })()`)) as [string, string];
    met.add(name);
    if (name !== "") assert.notEqual(outline, "none", name);
  }
  for (const name of ["Skip to the job", "workerFilter", "logFilter", "logFaults", "marks", "lines", "Workers"]) {
    assert.ok(met.has(name), `${name} is reached with Tab: ${[...met].join()}`);
  }
}

/** What is said to the console, thrown, or asked of another server. */
function troublesOf(page: Page): string[] {
  const troubles: string[] = [];
  page.on("console", (message) => troubles.push(`${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("request", (request) => {
    if (!/^(data:|http:\/\/127\.0\.0\.1:)/.test(request.url())) troubles.push(request.url());
  });
  return troubles;
}

/** Bytes that come over the network until the page has its first figures. */
async function loadedBytes(page: Page, url: string): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  session.on("Network.dataReceived", ({ dataLength, encodedDataLength }) => {
    bytes += encodedDataLength || dataLength;
  });
  await page.goto(url);
  await until(page, `document.querySelectorAll("#workerRows tr").length > 0`);
  return bytes;
}

function isCoordinator(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("coordinator");
}
