/** What tests ask of a page that is open in a real browser. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";

const deadlineMs = 60_000;

/** Asks again and again, for the page's policy lets nobody put a waiting script into it. */
export async function until(page: Page, condition: string): Promise<void> {
  for (const endMs = Date.now() + deadlineMs; !(await page.evaluate(condition)); await page.waitForTimeout(50)) {
    assert.ok(Date.now() < endMs, `${condition}: not in time`);
  }
}

/** What is said to the console, thrown, or asked of another server, from now on. */
export function troublesOf(page: Page): string[] {
  const troubles: string[] = [];
  page.on("console", (message) => troubles.push(`${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("request", (request) => {
    if (!/^(data:|http:\/\/127\.0\.0\.1:)/.test(request.url())) troubles.push(request.url());
  });
  return troubles;
}

export interface Loading {
  readonly url: string;
  /** A condition: the page has what counts as its first figures. */
  readonly until: string;
}

/** Bytes that come over the network until then. */
export async function loadedBytes(page: Page, { url, until: shown }: Loading): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  session.on("Network.dataReceived", ({ dataLength, encodedDataLength }) => {
    bytes += encodedDataLength || dataLength;
  });
  await page.goto(url);
  await until(page, shown);
  return bytes;
}

export interface Reached {
  /** By id, label or text. */
  readonly names: readonly string[];
  /** Of Tab. */
  readonly presses: number;
}

/** All that can be used is reached with the keyboard, has a name, and shows that it is chosen. */
export async function assertReachable(page: Page, { names, presses }: Reached): Promise<void> {
  await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)");
  const met = new Set<string>();
  for (let press = 0; press < presses; press++) {
    await page.keyboard.press("Tab");
    const [name, outline] = (await page.evaluate(`(() => {
      const { activeElement: at } = document;
      return at === document.body || at === document.documentElement ? ["", ""] : [at.id || at.getAttribute("aria-label") || at.textContent, getComputedStyle(at).outlineStyle];
    })()`)) as [string, string];
    met.add(name);
    if (name !== "") assert.notEqual(outline, "none", name);
  }
  for (const name of names) assert.ok(met.has(name), `${name} is reached with Tab: ${[...met].join()}`);
}
