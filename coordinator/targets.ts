/** What a coordinator tells Prometheus to scrape, as its `http_sd_configs` read it. */
import { hostOf, isEverywhere } from "../proto/endpoint.ts";

export interface TargetGroup {
  /** host:port */
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Labels of a target come before those of its series, so they have names that no series has. */
export interface TargetLabels {
  readonly job: string;
  readonly role: string;
  readonly worker: string;
}

export function target(address: string, { job, role, worker }: TargetLabels): TargetGroup {
  return { targets: [address], labels: { limbeck_job: job, limbeck_role: role, limbeck_worker: worker } };
}

/** A coordinator that listens on all addresses is where whoever asks has found it. @param asked the header Host */
export function foundAt(own: string, asked: string): string {
  return isEverywhere(hostOf(own)) && asked !== "" ? asked : own;
}
