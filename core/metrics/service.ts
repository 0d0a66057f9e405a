/** What a coordinator of the service measures, beside its jobs: who leads, what waits, and the workers of the cluster. */
import { counter, gauge, histogram, secondsBuckets } from "./definition.ts";

export const serviceMetrics = {
  leading: gauge("service_leading", "1 where this coordinator leads the cluster, 0 where it stands by."),
  mayDecide: gauge(
    "service_may_decide",
    "1 where it leads and its lease holds now; 0 while the store does not answer.",
  ),
  fence: gauge("service_fence", "Of its leadership: every leader has a higher one. Only where it leads."),
  takeovers: counter("service_takeovers_total", "Times this coordinator began to lead."),
  jobs: gauge("service_jobs", "Jobs of the cluster by their state, as the leader has them.", {
    state: ["queued", "running", "pausing", "paused", "cancelling", "done", "failed", "cancelled"],
  }),
  oldestQueued: gauge(
    "service_oldest_queued_timestamp_seconds",
    "Since when the job has waited that has waited longest, Unix time.",
  ),
  workers: gauge("service_workers", "Workers with a session by where they are, as the leader has them.", {
    place: ["idle", "working", "leaving", "between"],
  }),
  journalled: histogram("service_journal_append_seconds", "Until a decision about jobs was durable in the store.", {
    buckets: secondsBuckets,
  }),
};
