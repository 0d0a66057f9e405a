/** What the coordinator measures: the job, its terms, and its workers as it sees them. */
import { severities } from "../doctor/finding.ts";
import { jobStates, workerStates } from "../shownstates.ts";
import { stages } from "../stages.ts";
import { termReasons } from "../termreason.ts";
import { counter, gauge, histogram, longSecondsBuckets, secondsBuckets } from "./definition.ts";

const stage = stages;
const role = ["student", "teacher"] as const;
/** One each of the workers that have a session; gone when the worker is. */
const worker = "the workers with a session";

export const coordinatorMetrics = {
  jobInfo: gauge("job_info", "The job; always 1, to join on.", {
    limbeck_job: "one job",
    numerics: ["exact", "fast"],
  }),
  jobState: gauge("job_state", "1 for the state the job is in.", { state: jobStates }),
  jobStarted: gauge("job_start_timestamp_seconds", "When the job began, Unix time."),
  leader: gauge("leader", "1 where this coordinator decides for the job."),
  leaderStarted: gauge("leader_start_timestamp_seconds", "Since when it has decided for the job, Unix time."),
  recoveries: counter("coordinator_recoveries_total", "Times the job's coordinator was started again on its journal."),
  journalled: histogram(
    "journal_append_seconds",
    "Until a decision was on disk in the journal; it is acted on after that.",
    {
      buckets: secondsBuckets,
    },
  ),
  journalFailures: counter(
    "journal_failures_total",
    "Decisions that could not be written to the journal; the coordinator ends, and the job goes on with the next.",
  ),

  step: gauge("step", "Optimizer updates applied in the stage.", { stage }),
  stepsPlanned: gauge("steps_planned", "Optimizer updates the stage will have.", { stage }),
  progress: gauge("progress_ratio", "Share of the stage's steps that are done.", { stage }),
  eta: gauge("eta_seconds", "Until the last step of the stage, at its pace so far.", { stage }),
  lastStep: gauge("last_step_timestamp_seconds", "When a step was last reported, Unix time.", { stage }),
  steps: counter("steps_total", "Steps done, those that are done again after a rollback included.", { stage }),
  samples: counter("samples_total", "Training examples consumed by all students.", { stage }),
  loss: gauge("loss_nats", "Mean loss over the last reported steps; total is the weighted sum of soft and hard.", {
    stage,
    component: ["total", "soft", "hard"],
  }),
  accuracy: gauge("training_accuracy_ratio", "Training accuracy over the last reported steps.", { stage }),
  agreement: gauge(
    "teacher_agreement_ratio",
    "Share of examples where student and teacher predict the same class, over the last reported steps.",
    { stage },
  ),
  temperature: gauge("temperature", "At which teacher and student are softened; only in stages with soft targets.", {
    stage,
  }),
  learningRate: gauge("learning_rate", "Of the last reported step, after the schedule.", { stage }),
  gradientNorm: gauge(
    "gradient_norm",
    "L2 norm of the mean gradient of the last reported step, before clipping and weight decay.",
    { stage },
  ),
  nonFinite: counter("nonfinite_steps_total", "Steps that all skipped, for their gradient was not finite.", { stage }),
  evaluationErrors: gauge("evaluation_errors", "Errors in the last evaluation.", { stage }),
  evaluationAccuracy: gauge("evaluation_accuracy_ratio", "Accuracy in the last evaluation.", { stage }),
  evaluationLoss: gauge("evaluation_cross_entropy_nats", "Mean cross-entropy in the last evaluation.", { stage }),

  doctorFindings: gauge("doctor_findings", "Checks of the doctor by what their newest finding is.", {
    severity: severities,
  }),

  ledgerDuplicates: gauge("ledger_duplicates", "Examples consumed more than once in an epoch; must be 0.", { stage }),
  ledgerGaps: gauge("ledger_gaps", "Examples of finished epochs that nobody consumed; must be 0.", { stage }),

  checkpoints: counter("checkpoints_total", "Checkpoints written.", { stage }),
  checkpointBytes: gauge("checkpoint_size_bytes", "Of the last checkpoint.", { stage }),
  checkpointAt: gauge(
    "checkpoint_timestamp_seconds",
    "When the last checkpoint was on disk, Unix time; `time()` minus it is its age.",
    { stage },
  ),
  checkpointsPassedOver: counter("checkpoints_passed_over_total", "Checkpoints found damaged when resuming."),

  term: gauge("term", "Number of the current membership; 0 before the first."),
  terms: counter("terms_total", "Memberships opened, each with a deal of its own, by reason.", {
    reason: termReasons,
  }),
  detection: histogram(
    "fault_detection_seconds",
    "From the last sign of life of a worker until it was found lost: the longest the detection can have taken.",
    { buckets: longSecondsBuckets },
  ),
  recovery: histogram(
    "fault_recovery_seconds",
    "From a term or pause that a fault brought about until the next step was reported.",
    { buckets: longSecondsBuckets },
  ),
  diverged: counter("replicas_diverged_total", "Replicas that differed from the others."),
  damaged: counter("payloads_damaged_total", "Payloads that came damaged and were fetched again."),

  workers: gauge("workers", "Workers with a session.", { role, state: workerStates }),
  workersWanted: gauge("workers_wanted", "Workers the job asks for, of a range of students the fewest.", { role }),
  joined: counter("workers_joined_total", "Workers that were let in.", { role }),
  lost: counter("workers_lost_total", "Workers that died, fell silent or were thrown out."),
  left: counter("workers_left_total", "Workers that handed their work over and left."),
  refused: counter("workers_refused_total", "Workers that were not let in."),
  roleChanges: counter("role_changes_total", "Workers that got another role.", { role }),
  workerInfo: gauge(
    "worker_info",
    "A worker, and where it serves its own metrics, which is its `instance` there; always 1, to join on.",
    {
      worker,
      role,
      http: worker,
    },
  ),
  workerStep: gauge("worker_step", "The step a worker is at, as it last said.", { worker }),
  workerLanes: gauge("worker_lanes", "Lanes that a worker computes in the current term.", { worker }),
  workerLaneSeconds: gauge("worker_lane_seconds", "Seconds a worker takes for a lane, as last measured.", { worker }),
  workerHeard: gauge("worker_heard_timestamp_seconds", "When a worker was last heard, Unix time.", { worker }),
  workerMemory: gauge("worker_resident_bytes", "Resident memory of a worker, as it last reported.", { worker }),
};
