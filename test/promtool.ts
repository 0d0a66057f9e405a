/** Prometheus' own judge of what it is given. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../worker/engine/environment.ts";

/** What `promtool check metrics` says of the text; empty where all is well. */
export function checkMetrics(promtool: string, text: string): string {
  try {
    return execFileSync(promtool, ["check", "metrics"], { input: text, encoding: "utf8", stdio: "pipe" });
  } catch (thrown) {
    const { stdout, stderr } = thrown as { stdout: string; stderr: string };
    return `${stdout}${stderr}`;
  }
}

export type Found = { readonly path: string } | { readonly why: string };

/**
 * The path of promtool, or of Prometheus itself: of this machine, or from Debian's package, kept beside the engines.
 * Where neither is to be had, why: the test is then left out.
 */
export function findPromtool(name: "promtool" | "prometheus" = "promtool"): Found {
  const installed = run("sh", ["-c", `command -v ${name}`]);
  if (installed !== null) return { path: installed.trim() };
  const folder = join(cacheFolder(), "promtool");
  const path = join(folder, "usr/bin", name);
  if (existsSync(path)) return { path };
  mkdirSync(folder, { recursive: true });
  const fetched = "apt-get download prometheus && dpkg-deb --extract prometheus_*.deb . && rm prometheus_*.deb";
  if (run("sh", ["-c", fetched], folder) !== null && existsSync(path)) return { path };
  return { why: `${name} is not installed, and Debian's package prometheus cannot be fetched` };
}

function run(command: string, args: readonly string[], cwd?: string): string | null {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: "pipe", timeout: 60_000, ...(cwd && { cwd }) });
  } catch {
    return null;
  }
}
