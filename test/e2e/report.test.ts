/** The report of a real run: one page that needs nothing else, drawn again byte for byte, and beside another. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { openChromium } from "../chromium.ts";
import { finishedRun, limbeck, scratchFolder } from "./limbeck.ts";

const hostile = `</script><img src=x onerror="document.title='broken'">`;
const bounded = { timeout: 180_000 };

test("a run leaves a page, which its folder alone gives again", bounded, async (t) => {
  const { folder, report } = await finishedRun(t, "examples/smoke.yaml");
  const path = join(folder, "report.html");
  const page = await readFile(path, "utf8");
  assert.ok(page.length < 1_000_000, `${page.length} bytes`);
  assert.doesNotMatch(page, /(?:src|href)="(?!data:)/, "nothing is fetched");
  assert.ok(page.includes(report.summary.replaceAll("<", "&lt;")));
  for (const { calibration, classes, latencies } of [report.teacher, report.student, report.baseline!]) {
    assert.equal(
      calibration.bins.reduce((sum, { examples }) => sum + examples, 0),
      500,
    );
    assert.equal(
      classes.reduce((sum, { examples }) => sum + examples, 0),
      500,
    );
    for (const { medianSeconds, p95Seconds } of latencies) assert.ok(medianSeconds > 0 && p95Seconds >= medianSeconds);
  }
  assert.deepEqual(
    report.models.map(({ folder, latencies }) => [folder, latencies.map(({ batch }) => batch)]),
    ["teacher", "student", "student-float16", "student-uint8"].map((name) => [name, [1, 100]]),
  );
  assert.ok(report.disputes.length > 0, "so small a student differs somewhere");
  for (const { picture } of report.disputes) assert.equal(Buffer.from(picture!.pixels, "base64").length, 28 * 28);
  for (const stage of ["teach", "distil", "baseline"]) assert.ok(existsSync(join(folder, "tensorboard", stage)), stage);

  await rm(path);
  for (const gone of ["events.jsonl", "journal.jsonl", "checkpoints", "student"]) {
    await rm(join(folder, gone), { recursive: true });
  }
  const again = await limbeck("report", folder);
  assert.deepEqual([again.code, again.stdout], [0, `${path}\n`], again.stderr);
  assert.equal(await readFile(path, "utf8"), page, "byte for byte");
  const json = await limbeck("report", folder, "-o", "json");
  assert.deepEqual(JSON.parse(json.stdout), JSON.parse(await readFile(join(folder, "report.json"), "utf8")));

  const other = join(await scratchFolder(t), "other");
  await cp(folder, other, { recursive: true });
  // Names of classes and workers, and a report that somebody sent, may hold anything.
  const dataset = { ...report.dataset, classNames: report.dataset.classNames.concat(Array(10).fill(hostile)) };
  await writeFile(join(other, "report.json"), JSON.stringify({ ...report, job: hostile, dataset }));
  const drawn = await limbeck("report", other);
  assert.equal(drawn.code, 0, drawn.stderr);
  const both = join(other, "both.html");
  const compared = await limbeck("report", folder, other, "--to", both);
  assert.equal(compared.code, 0, compared.stderr);
  const browser = await openChromium();
  if (!browser) return t.diagnostic("no Chromium on this machine: the pages were not opened");
  t.after(() => browser.close());
  await looksRight(browser, path, { heading: "smoke", says: report.summary, charts: 7 });
  await looksRight(browser, join(other, "report.html"), { heading: hostile, says: hostile, charts: 7 });
  await looksRight(browser, both, { heading: "2 runs side by side", says: other, charts: 11 });
});

test("what holds no finished run is named, and why", async (t) => {
  const folder = await scratchFolder(t);
  const { code, stderr } = await limbeck("report", folder);
  assert.equal(code, 2);
  assert.match(stderr, /there is no .*report\.json: a run leaves it when it is over/);
});

/** In a real browser, with the network cut off: no error, no request, every chart drawn, no scrolling sideways. */
async function looksRight(
  browser: Browser,
  path: string,
  { heading, says, charts }: { heading: string; says: string; charts: number },
): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1200, 390]) {
      const context = await browser.newContext({ colorScheme, offline: true, viewport: { width, height: 800 } });
      const page = await context.newPage();
      const troubles: string[] = [];
      page.on("console", (message) => troubles.push(message.text()));
      page.on("pageerror", (error) => troubles.push(error.message));
      page.on("request", (request) => {
        if (!request.url().startsWith("data:") && !request.isNavigationRequest()) troubles.push(request.url());
      });
      await page.goto(pathToFileURL(path).href);
      assert.equal(await page.textContent("h1"), heading);
      assert.ok((await page.textContent("main"))!.includes(says));
      assert.equal(await page.locator("canvas").count(), charts);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width, "no scrolling sideways");
      await page.screenshot({ path: join(path, "..", `${colorScheme}-${width}.png`), fullPage: true });
      assert.deepEqual(troubles, []);
      await context.close();
    }
  }
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(pathToFileURL(path).href);
  assert.equal(await page.locator("figure.chart svg:visible").count(), charts, "pictures where no script runs");
  await context.close();
}
