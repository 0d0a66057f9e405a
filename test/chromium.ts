/** A real Chromium for tests of pages, where the machine has one. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** null where there is none. */
export async function openChromium(): Promise<Browser | null> {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  if (!executablePath) return null;
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  return await chromium.launch({ executablePath, args });
}
