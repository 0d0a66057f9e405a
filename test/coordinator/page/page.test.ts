/** The page's files, and the page with 500 workers and 100,000 steps in a real browser. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openChromium } from "../../chromium.ts";
import { bounded } from "../sessions.ts";
import { serveCrowd, started, statusOf, stepped, steps, warned } from "./crowded.ts";

const workers = 500;
const mostElements = 5_000;

test(
  "files come packed, with a tag by which they are not sent twice, and allow nothing from elsewhere",
  bounded,
  async (t) => {
    const { address } = await serveCrowd(t, [], { status: () => statusOf(0, 0) });
    const page = await fetch(`http://${address}/`);
    assert.match(page.headers.get("content-security-policy")!, /^default-src 'none';.*script-src 'self'/);
    assert.equal(page.headers.get("content-encoding"), "gzip");
    const text = await page.text();
    const paths = [...text.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map(([, path]) => path!);
    assert.ok(paths.includes("/page/core/live/history.js"), paths.join());
    assert.doesNotMatch(text, /(?:src|href)="(?:https?:)?\/\//, "no other server");
    for (const path of paths) {
      const file = await fetch(`http://${address}${path}`);
      assert.equal(file.status, 200, path);
      const headers = { "if-none-match": file.headers.get("etag")! };
      assert.equal((await fetch(`http://${address}${path}`, { headers })).status, 304, path);
    }
    assert.equal((await fetch(`http://${address}/page/../package.json`)).status, 404);
    assert.equal((await fetch(`http://${address}/`, { method: "POST" })).status, 405);
  },
);

test("500 workers and 100,000 steps", { timeout: 120_000 }, async (t) => {
  const browser = await openChromium();
  if (!browser) return t.skip("no Chromium on this machine");
  t.after(() => browser.close());
  let step = steps - 1_000;
  const past = Array.from({ length: step }, (_, at) => stepped(at + 1));
  const troubles = Array.from({ length: 1_000 }, (_, at) => warned(at, `<img src=x onerror=alert(1)> ${at}`));
  const { address, log } = await serveCrowd(t, [started(450), ...past, ...troubles], {
    status: () => statusOf(workers, step),
  });
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(`http://${address}/`);
  await page.locator("#faults", { hasText: "1000 faults survived. The first 800" }).waitFor();
  await page.locator("#crew", { hasText: "450 lanes held by 450 students, 50 teachers." }).waitFor();
  for (; step < steps - 900; step++) log.append(stepped(step + 1));
  await page.locator("#stages", { hasText: `step ${step.toLocaleString("en-US")} of 100,000` }).waitFor();
  await page.locator("#workersShown", { hasText: "1 to 25 of 500" }).waitFor();
  await page.locator("#workersOn").click();
  await page.locator("#workersShown", { hasText: "26 to 50 of 500" }).waitFor();
  await page.locator("#workerFilter").fill("teacher");
  await page.locator("#workersShown", { hasText: "26 to 50 of 50" }).waitFor();
  await page.locator("#logFilter").fill("alert(1)> 999");
  await page.locator("#lines li").nth(1).waitFor({ state: "detached" });
  assert.match((await page.locator("#lines li").textContent())!, /<img src=x onerror=alert\(1\)> 999/);
  await page.locator("#logFilter").fill("");
  await page.locator("#workerFilter").fill("");
  const elements = Number(await page.evaluate("document.querySelectorAll('*').length"));
  assert.ok(elements < mostElements, `${elements} elements`);
  const shots = join(tmpdir(), "limbeck-page");
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, "crowd.png"), fullPage: true });
  t.diagnostic(`${elements} elements; screenshot: ${join(shots, "crowd.png")}`);
});
