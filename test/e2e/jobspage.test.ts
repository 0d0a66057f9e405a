/** The pages of a service in a real browser: the list moves with its jobs, a job's page with the job, and both outlive who leads. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { openFolderStore } from "../../coordinator/folder/store.ts";
import { assertReachable, loadedBytes, troublesOf, until } from "../browserpage.ts";
import { openChromium } from "../chromium.ts";
import {
  control,
  until as holds,
  isLeading,
  jobFile,
  service,
  submit,
  submitAll,
} from "../coordinator/service/services.ts";
import { startBareWorker } from "../worker/foreman.ts";
import { scratchFolder } from "./limbeck.ts";

const bounded = { timeout: 180_000 };
const mostLoadBytes = 300_000;
const shots = join(tmpdir(), "limbeck-pages");

test("the list and a job's page follow the job from the queue to its report", bounded, async (t) => {
  const browser = await openChromium();
  if (!browser) return t.skip("no Chromium on this machine");
  t.after(() => browser.close());
  const folder = await scratchFolder(t);
  const leader = await service("coordinator-1", folder, openFolderStore(folder));
  t.after(() => leader.close("the test is over"));
  await holds(() => isLeading(leader));
  const list = await opened(browser, `http://${leader.httpAddress}/`);
  await until(list, `document.getElementById("runningMore").textContent.startsWith("None yet: limbeck submit")`);

  const short = `${jobFile.replace("students: 2", "students: 1")}baseline: false\nsoftTargets:\n  cache: false\n`;
  const endless = short
    .replace(/(distil:.*?)epochs: 2/s, "$1epochs: 100000")
    .replace("everySteps: 10", "everySteps: 500");
  const id = await submit(leader, { job: endless, name: "mnist-small", priority: 3 });
  const next = await submit(leader, { job: short, name: "next", by: "<img src=x>" });
  const others = await submitAll(
    leader,
    ["paused", "gone"].map((name) => ({ job: jobFile, name })),
  );
  await control(leader, others[0]!, "pause");
  await control(leader, others[1]!, "cancel");
  await until(list, `document.querySelectorAll("#waiting li").length === 3`);
  await until(list, `document.querySelectorAll("#over li").length === 1`);
  const job = await opened(browser, `http://${leader.httpAddress}/jobs/${id}/`);
  await until(job, `document.getElementById("state").textContent === "queued"`);
  await until(job, `document.getElementById("why").textContent.startsWith("it waits for 1 student and 1 teacher")`);
  await shoot(job, "job-queued");

  for (const role of ["student", "teacher"])
    startBareWorker(t, {}, ["--coordinator", leader.address, "--role", role, "--name", `${role}-1`]);
  await until(list, `document.querySelectorAll("#running li progress").length === 1`);
  const value = `document.querySelector("#running progress")?.value ?? 0`;
  await until(list, `${value} > 0`);
  const before = Number(await list.evaluate(value));
  await until(list, `${value} > ${before}`);
  await until(job, `document.getElementById("connection").textContent === "live"`);
  await until(job, `document.querySelectorAll("#workerRows tr").length === 2`);
  await until(job, `document.querySelectorAll("#jobs tr").length === 1`);
  assert.equal(await job.locator("#jobs a").getAttribute("href"), "#job");
  await until(job, `document.getElementById("state").textContent === "running: student"`);
  await Promise.all([shoot(list, "list", allLooks), shoot(job, "job")]);
  await assertReachable(list, { names: ["Skip to the jobs", "find", id, "findWorker", "Workers"], presses: 20 });

  await job.goto(`http://${leader.httpAddress}/jobs/${next}/`);
  await until(job, `document.getElementById("state").textContent === "queued"`);
  await control(leader, id, "cancel");
  await until(list, `document.querySelectorAll("#over li").length === 3`);
  assert.match((await list.locator("#over li").first().textContent())!, /next.*done.*errors: teacher \d+, student \d+/);
  await until(job, `document.getElementById("connection").textContent === "done"`);
  await job.locator("#elsewhere a", { hasText: "Its report" }).click();
  await until(job, `document.documentElement.classList.contains("live") && document.title.includes("report")`);
  await shoot(list, "list-over", allLooks);
  await shoot(job, "report");
  await job.locator("a", { hasText: "All jobs" }).click();
  await job.waitForURL(`http://${leader.httpAddress}/`);
  for (const page of [list, job]) assert.deepEqual(troubles.get(page), []);
});

test("where another leads, the pages say who and show the way, and go on when this one leads", bounded, async (t) => {
  const browser = await openChromium();
  if (!browser) return t.skip("no Chromium on this machine");
  t.after(() => browser.close());
  const folder = await scratchFolder(t);
  const leader = await service("coordinator-1", folder, openFolderStore(folder));
  await holds(() => isLeading(leader));
  const id = await submit(leader, { job: jobFile });
  const follower = await service("coordinator-2", folder, openFolderStore(folder));
  t.after(() => follower.close("the test is over"));
  const list = await opened(browser, `http://${follower.httpAddress}/`);
  const job = await opened(browser, `http://${follower.httpAddress}/jobs/${id}/`);
  const away = await opened(browser, `http://${leader.httpAddress}/jobs/${id}/`);
  await until(list, `document.getElementById("state").textContent === "coordinator-2 stands by"`);
  assert.equal(await list.locator("#leaderLink").getAttribute("href"), `http://${leader.httpAddress}/`);
  await until(
    job,
    `document.getElementById("elsewhere").textContent.includes("coordinator-1 at ${leader.address} leads")`,
  );
  assert.equal(await job.locator("#elsewhere a").getAttribute("href"), `http://${leader.httpAddress}/jobs/${id}/`);
  await shoot(list, "standby");
  await shoot(job, "job-standby");

  await leader.close("another shall lead");
  await until(list, `document.querySelectorAll("#waiting li").length === 1`);
  await until(job, `document.getElementById("state").textContent === "queued"`);
  await until(away, `document.getElementById("connection").textContent.startsWith("connection lost")`);
});

const troubles = new WeakMap<Page, string[]>();

/** Within what a page may load until it has its first figures. */
async function opened(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  troubles.set(page, troublesOf(page));
  const shown = `document.getElementById("state").textContent !== "waiting for the coordinator"`;
  const bytes = await loadedBytes(page, { url, until: shown });
  assert.ok(bytes < mostLoadBytes, `${bytes} bytes`);
  return page;
}

const allLooks = [
  ["light", "light", 1200],
  ["dark", "dark", 1200],
  ["phone", "light", 390],
] as const;

/** For who wants to look; nothing is wider than a phone. */
async function shoot(
  page: Page,
  name: string,
  looks: readonly (typeof allLooks)[number][] = [allLooks[0]],
): Promise<void> {
  await mkdir(shots, { recursive: true });
  for (const [look, colorScheme, width] of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 850 });
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width, `${name}: no scrolling sideways`);
    await page.screenshot({ path: join(shots, `${name}-${look}.png`), fullPage: true });
  }
}
