/** A real Prometheus with the checked-in configuration, fifteen times as fast. */

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { rulesFolder } from "../deploy/rules.ts";
import { freeAddress } from "../freeport.ts";
import { scratchFolder } from "./limbeck.ts";

interface Config {
  readonly global: object;
  readonly scrape_configs: readonly { readonly http_sd_configs: readonly object[] }[];
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [atSeconds: number, value: string];
}

/** Minutes of the rules' windows become so many seconds: the job is as many times younger than one in earnest. */
const windowOfMinutes: Readonly<Record<string, string>> = { "5m": "20s", "10m": "30s", "15m": "45s" };
/** So many times shorter are the times that alerts compare with: minutes, in seconds. */
const faster = 15;
const pollMs = 250;

export class Prometheus {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** @param targets address of the coordinator's `/targets` */
  static async start(t: TestContext, binary: string, targets: string): Promise<Prometheus> {
    const folder = await scratchFolder(t);
    const config = parse(readFileSync(join(rulesFolder, "prometheus.yml"), "utf8")) as Config;
    const fast = {
      ...config,
      global: { ...config.global, scrape_interval: "1s", evaluation_interval: "1s" },
      scrape_configs: config.scrape_configs.map((scrape) => ({
        ...scrape,
        http_sd_configs: scrape.http_sd_configs.map((each) => ({ ...each, url: targets, refresh_interval: "1s" })),
      })),
    };
    writeFileSync(join(folder, "prometheus.yml"), stringify(fast));
    for (const file of ["rules.yml", "alerts.yml"]) {
      const text = readFileSync(join(rulesFolder, file), "utf8");
      writeFileSync(
        join(folder, file),
        text
          .replace(/\[(\d+m)\]/g, (_, minutes) => `[${windowOfMinutes[minutes]!}]`)
          .replace(/> (\d{3,})\b/g, (_, seconds) => `> ${seconds / faster}`),
      );
    }
    const address = await freeAddress();
    const args = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", `--web.listen-address=${address}`];
    const child = spawn(binary, [...args, "--log.level=error"], { cwd: folder, stdio: "inherit" });
    t.after(() => void child.kill("SIGKILL"));
    const prometheus = new Prometheus(`http://${address}`);
    await until("Prometheus is ready", () => prometheus.#isReady());
    return prometheus;
  }

  /** What an expression is now. @throws what Prometheus says of one that is invalid */
  async query(expr: string): Promise<readonly Sample[]> {
    const answer = await this.#get<{ resultType: string; result: Sample[] }>(
      `query?${new URLSearchParams({ query: expr })}`,
    );
    return answer.resultType === "vector" ? answer.result : [];
  }

  /** Names of the alerts that are pending or firing. */
  async alerts(): Promise<string[]> {
    const { alerts } = await this.#get<{ alerts: { labels: { alertname: string } }[] }>("alerts");
    return [...new Set(alerts.map(({ labels }) => labels.alertname))].sort();
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== "success") throw new Error(`${decodeURIComponent(path)}: ${error}`);
    return data;
  }

  async #isReady(): Promise<boolean> {
    return await fetch(`${this.#url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}

/**
 * These alerts and no others are active, and stay so for some evaluations. What comes and goes within a second or two,
 * because processes are not scraped at the same moment, no `for` would let through.
 */
export async function assertAlerts(prometheus: Prometheus, expected: readonly string[]): Promise<void> {
  let [alerts, polls]: [string[], number] = [[], 0];
  const isSo = async () => {
    alerts = await prometheus.alerts();
    polls = JSON.stringify(alerts) === JSON.stringify(expected) ? polls + 1 : 0;
    return polls >= 8;
  };
  await until(() => `active are ${alerts.join(", ")}; expected ${expected.join(", ") || "none"}`, isSo);
}

/** Waits for what must come. @param what it is, or what is still missing, in the error of one that does not */
export async function until(
  what: string | (() => string),
  isSo: () => Promise<boolean>,
  deadlineMs = 90_000,
): Promise<void> {
  for (const endMs = Date.now() + deadlineMs; !(await isSo()); await sleep(pollMs)) {
    if (Date.now() > endMs)
      throw new Error(`waited ${deadlineMs / 1000} s: ${typeof what === "string" ? what : what()}`);
  }
}
