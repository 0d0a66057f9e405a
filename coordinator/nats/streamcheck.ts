/** Whether the streams that are there keep what they must: somebody may have made, or edited, them. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import type { Nats } from "../../proto/nats.ts";
import { journalConfig, leaseConfig } from "./streams.ts";

export interface StreamProblem {
  readonly severity: "warning" | "error";
  /** A sentence: what is wrong, and what would be right. */
  readonly text: string;
}

/** Of the journal's and the lease's stream. Those that are not there yet have no problem: the first coordinator makes them. */
export async function examineStreams(nats: Nats, cluster: string): Promise<StreamProblem[]> {
  const manager = await nats.connection.jetstreamManager({ checkAPI: false });
  const wanted = [journalConfig(cluster), leaseConfig(cluster)];
  const found = await Promise.all(
    wanted.map(({ name }) =>
      manager.streams.info(name).then(
        ({ config }) => config,
        () => null, // Not there, or not for this user to see, which is a finding of its own.
      ),
    ),
  );
  return found.flatMap((config, at) => (config ? streamProblems(config, wanted[at]!.subjects) : []));
}

type Kept = Partial<StreamConfig> & Pick<StreamConfig, "name">;

/** @param subjects what it must take */
export function streamProblems(config: Kept, subjects: readonly string[]): StreamProblem[] {
  const { name, max_age = 0, max_msgs = -1, max_bytes = -1, max_msgs_per_subject: perSubject = -1 } = config;
  const isLease = name.startsWith("KV_");
  const problems: StreamProblem[] = [];
  const error = (what: string, right: string) =>
    void problems.push({ severity: "error", text: `${name} ${what}: ${right}` });
  const warning = (what: string, right: string) =>
    void problems.push({ severity: "warning", text: `${name} ${what}: ${right}` });
  const edit = (flags: string) => `nats stream edit ${name} ${flags}`;
  const anew = "stop the coordinators and remove it, the first that starts makes it as it should be";

  if (max_age > 0) error(`forgets what is older than ${max_age / 1e9} s (max_age)`, edit("--max-age=0"));
  if (!isLease && perSubject > 0) {
    error(`keeps ${perSubject} messages of a journal (max_msgs_per_subject)`, edit("--max-msgs-per-subject=-1"));
  }
  if (config.discard === DiscardPolicy.Old && !isLease) {
    const limits = [max_msgs > 0 ? `${max_msgs} messages` : "", max_bytes > 0 ? `${max_bytes} bytes` : ""];
    const bound = limits.filter((each) => each !== "").join(" and ");
    if (bound !== "") error(`drops its oldest above ${bound} (discard: old)`, edit("--discard=new"));
    else warning("would drop its oldest if it had a limit (discard: old)", edit("--discard=new"));
  }
  if ((config.retention ?? RetentionPolicy.Limits) !== RetentionPolicy.Limits) {
    error(`drops what was read (retention: ${config.retention})`, anew);
  }
  if (config.storage === StorageType.Memory) error("is in memory, and ends with its server (storage: memory)", anew);
  if (config.no_ack) error("does not say what it has stored (no_ack)", edit("--ack"));
  if (config.sealed) error("takes nothing any more (sealed)", anew);
  if (config.deny_purge) warning("cannot be compacted (deny_purge), and grows", anew);
  const missing = subjects.filter((each) => !(config.subjects ?? []).includes(each));
  if (missing.length > 0) error(`does not take ${missing.join(", ")}`, edit(`--subjects=${subjects.join()}`));
  return problems;
}
