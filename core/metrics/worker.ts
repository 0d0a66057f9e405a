/** What a worker measures itself: the steps it takes, what it asks of teachers and peers, what it serves. */
import { errorCodes } from "../errors.ts";
import type { Phase } from "../phases.ts";
import { counter, gauge, histogram, longSecondsBuckets, secondsBuckets } from "./definition.ts";

const code = ["ok", ...errorCodes] as const;

/** Of a step, by what the code calls them. */
export const stepPhases = {
  data: "data",
  softTargets: "teacher_wait",
  compute: "compute",
  exchange: "exchange",
  apply: "optimizer",
} as const satisfies Record<Phase, string>;

/** Of a soft target that is asked for again. */
const canaryResults = ["same", "different", "unanswered"] as const;
export type CanaryResult = (typeof canaryResults)[number];

export const workerMetrics = {
  engine: gauge("engine_info", "What this worker computes with; always 1, to join on.", {
    worker: "this worker",
    backend: ["tensorflow", "wasm"],
    device: "one device",
  }),
  phases: histogram(
    "step_phase_seconds",
    "Wall time of this student's steps by phase. data is while compute runs; a step has a checkpoint only where one is due, and then as long as it holds training up.",
    { buckets: secondsBuckets, labels: { phase: [...Object.values(stepPhases), "checkpoint"] } },
  ),
  steps: counter("student_steps_total", "Steps this student has taken part in."),
  samples: counter("student_samples_total", "Examples of this student's own lanes."),
  checkpoint: histogram("checkpoint_seconds", "From a checkpoint's begin until it is on disk; training goes on.", {
    buckets: longSecondsBuckets,
  }),
  checkpointFailures: counter("checkpoint_failures_total", "Checkpoints that could not be written."),

  softTargets: counter("soft_targets_total", "Soft targets this student needed, in examples."),
  requests: counter("soft_target_requests_total", "Answers of teachers to this student, and failures, by code.", {
    code,
  }),
  latency: histogram("soft_target_request_seconds", "From asking for a batch's soft targets to having them.", {
    buckets: secondsBuckets,
  }),
  awaited: gauge("soft_targets_awaited", "Requests for soft targets whose answers are on their way."),
  stranded: gauge("soft_targets_stranded", "Requests for soft targets that no teacher is there to be asked for."),
  sentInputBytes: counter("soft_target_input_bytes_total", "Bytes of inputs this student sent to teachers."),
  receivedBytes: counter("soft_target_bytes_total", "Bytes of logits this student received."),
  hedges: counter("soft_target_hedges_total", "Requests that a second teacher was asked for, too."),
  retries: counter("soft_target_retries_total", "Requests that came to nothing with the teacher asked first."),
  formatError: gauge(
    "soft_target_error_nats",
    "KL(true || decoded) of softened distributions, the mean of the last sample: what the format costs.",
  ),
  canaries: counter(
    "canaries_total",
    "Soft targets that were given, asked for again; different ones end the job, unanswered ones say nothing.",
    { result: canaryResults },
  ),
  canaryDrift: gauge(
    "canary_drift_ratio",
    "How far the last canary was from what was given before, of what numerics allow; above 1 is different.",
  ),
  breakers: gauge("teacher_breakers", "Teachers this student may ask, by the state of their circuit breakers.", {
    state: ["closed", "half_open", "open"],
  }),
  cacheLookups: counter("cache_lookups_total", "Examples looked up in the cache of soft targets.", {
    result: ["hit", "miss"],
  }),
  cacheBytes: counter("cache_bytes_total", "Bytes of logits read from, and given to, the cache.", {
    direction: ["read", "written"],
  }),

  served: counter("teacher_requests_total", "Requests this teacher answered, by code.", { code }),
  servedExamples: counter("teacher_examples_total", "Soft targets this teacher computed, in examples."),
  servedBytes: counter("teacher_sent_bytes_total", "Bytes of logits this teacher sent."),
  servingSeconds: histogram("teacher_request_seconds", "From a request's arrival at this teacher to its answer.", {
    buckets: secondsBuckets,
  }),
  passExamples: histogram("teacher_batch_examples", "Examples of a forward pass of this teacher.", {
    buckets: [1, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096],
  }),
  queue: gauge("teacher_queue_requests", "Requests that wait at this teacher."),
  queueExamples: gauge("teacher_queue_examples", "Examples of the requests that wait at this teacher."),
  busy: counter(
    "teacher_busy_seconds_total",
    "Time in which a forward pass was under way; its rate is the teacher's utilisation.",
  ),

  exchanged: counter("exchange_received_bytes_total", "Bytes pulled from other workers, by way.", {
    path: ["shared_memory", "network"],
  }),
  busBandwidth: gauge(
    "exchange_bus_bytes_per_second",
    "Of the last reported steps' all-reduce among n students: 2 (n-1)/n of the gradient's bytes over the time it took.",
  ),
  exchangeRetries: counter("exchange_retries_total", "Payloads pulled again."),
  checksumFailures: counter("exchange_checksum_failures_total", "Payloads that arrived damaged."),

  gpuUtilisation: gauge("gpu_utilisation_ratio", "Share of time a GPU was busy, as nvidia-smi says.", {
    gpu: "this worker's GPUs",
  }),
  gpuMemoryUsed: gauge("gpu_memory_used_bytes", "Memory of a GPU in use by all processes.", {
    gpu: "this worker's GPUs",
  }),
  gpuMemoryTotal: gauge("gpu_memory_total_bytes", "Memory of a GPU.", { gpu: "this worker's GPUs" }),
};
