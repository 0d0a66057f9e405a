/** What teachers serve and how busy they are; what students ask, wait for, and find in the cache. */
import type { Page } from "./page.ts";
import { chart, figure, ofJob, ofWorkers, quantiles, rate } from "./panels.ts";

const ofTeachers = `${ofWorkers}, limbeck_role="teacher"`;

export const teachers: Page = {
  name: "teachers",
  title: "Teachers",
  description: "Soft targets: what teachers serve, how busy they are, what students wait for, what the cache has.",
  sections: [
    {
      title: "Teachers",
      panels: [
        figure(
          {
            title: "Teachers",
            description: "Workers with the role of a teacher, and how many the job asks for.",
            unit: "none",
          },
          [
            [`sum(limbeck_workers{${ofJob}, role="teacher"})`, "there"],
            [`limbeck_workers_wanted{${ofJob}, role="teacher"}`, "wanted"],
          ],
          { width: 6, shows: "both" },
        ),
        figure(
          {
            title: "Waiting at teachers",
            description: "Requests that have come and are not computed yet.",
            unit: "short",
          },
          [[`sum(limbeck_teacher_queue_requests{${ofTeachers}})`, ""]],
          { width: 6 },
        ),
        figure(
          {
            title: "Nobody to ask",
            description:
              "Requests of students that no teacher is there for. Training stands still while there are any.",
            unit: "short",
          },
          [[`sum(limbeck_soft_targets_stranded{${ofWorkers}})`, ""]],
          { width: 6, warns: [null, 1] },
        ),
        figure(
          {
            title: "Canaries that differed",
            description: "Soft targets that were asked for again and were others. One ends the job.",
            unit: "short",
          },
          [[`sum(limbeck_canaries_total{${ofWorkers}, result="different"})`, ""]],
          { width: 6, warns: [null, 1] },
        ),
        chart(
          {
            title: "Utilisation",
            description:
              "Share of time in which a forward pass was under way. Near 1, with students that wait: more teachers are needed. Near 0: fewer.",
            unit: "percentunit",
          },
          [[rate("limbeck_teacher_busy_seconds_total", ofTeachers, ["limbeck_worker"]), "{{limbeck_worker}}"]],
          { max: 1 },
        ),
        chart(
          { title: "Soft targets served", description: "Examples, by teacher.", unit: "suffix: /s" },
          [[rate("limbeck_teacher_examples_total", ofTeachers, ["limbeck_worker"]), "{{limbeck_worker}}"]],
          { isStacked: true },
        ),
        chart(
          {
            title: "Queue",
            description:
              "Examples of the requests that wait, by teacher. One that grows is a teacher that is too slow.",
            unit: "short",
          },
          [[`limbeck_teacher_queue_examples{${ofTeachers}}`, "{{limbeck_worker}}"]],
        ),
        chart(
          {
            title: "Answers, by code",
            description: "Of teachers. stale_term and stopped are requests of a term that ended; others are failures.",
            unit: "reqps",
          },
          [[`${rate("limbeck_teacher_requests_total", ofTeachers, ["code"])} > 0`, "{{code}}"]],
        ),
        chart(
          {
            title: "Time at the teacher",
            description: "From a request's arrival to its answer: waiting, views and forward pass.",
            unit: "s",
          },
          quantiles("limbeck_teacher_request_seconds", ofTeachers),
        ),
        chart(
          {
            title: "Examples in a forward pass",
            description: "In exact numerics a lane each; in fast numerics requests are merged.",
            unit: "short",
          },
          [
            ...quantiles("limbeck_teacher_batch_examples", ofTeachers).slice(0, 2),
            [
              `sum(rate(limbeck_teacher_batch_examples_sum{${ofTeachers}}[$__rate_interval])) / sum(rate(limbeck_teacher_batch_examples_count{${ofTeachers}}[$__rate_interval]))`,
              "mean",
            ],
          ],
        ),
      ],
    },
    {
      title: "Students that ask",
      panels: [
        chart(
          {
            title: "Time until students have them",
            description:
              "From asking for a batch's soft targets to having them. They are asked ahead: late is what exceeds that.",
            unit: "s",
          },
          quantiles("limbeck_soft_target_request_seconds", ofWorkers),
        ),
        chart(
          {
            title: "Students' time spent waiting",
            description: "Share of their steps' time in which they had nothing to do but wait for teachers.",
            unit: "percentunit",
          },
          [[`limbeck_job:step_phase_share:ratio5m{${ofJob}, phase="teacher_wait"}`, "waiting"]],
          { max: 1 },
        ),
        chart(
          {
            title: "Answers to students, by code",
            description:
              "lost_worker, timeout: teachers that die or hang; server_away: a remote server; corrupt: damaged bytes.",
            unit: "reqps",
          },
          [[`${rate("limbeck_soft_target_requests_total", ofWorkers, ["code"])} > 0`, "{{code}}"]],
        ),
        chart(
          {
            title: "On their way, and asked twice",
            description:
              "awaited: requests without an answer yet. hedges: asked of a second teacher for the first is late. retries: came to nothing.",
            unit: "short",
          },
          [
            [`sum(limbeck_soft_targets_awaited{${ofWorkers}})`, "awaited"],
            [`sum(increase(limbeck_soft_target_hedges_total{${ofWorkers}}[$__rate_interval]))`, "hedges"],
            [`sum(increase(limbeck_soft_target_retries_total{${ofWorkers}}[$__rate_interval]))`, "retries"],
          ],
        ),
        chart(
          {
            title: "Circuit breakers",
            description:
              "Teachers as students see them, all students together. open: not asked for a while after a failure.",
            unit: "short",
          },
          [[`sum by (state) (limbeck_teacher_breakers{${ofWorkers}})`, "{{state}}"]],
          { isStacked: true },
        ),
        chart(
          {
            title: "Bytes",
            description: "logits that students received, inputs that they sent (softTargets.inputs: tensors).",
            unit: "Bps",
          },
          [
            [`sum(rate(limbeck_soft_target_bytes_total{${ofWorkers}}[$__rate_interval]))`, "logits"],
            [`sum(rate(limbeck_soft_target_input_bytes_total{${ofWorkers}}[$__rate_interval]))`, "inputs"],
          ],
        ),
      ],
    },
    {
      title: "Are they right, and are they kept",
      panels: [
        chart(
          {
            title: "Drift of the canaries",
            description:
              "How far soft targets that were asked for again are from what they were, of what numerics allow. Above 1 the job ends.",
            unit: "percentunit",
          },
          [[`limbeck_canary_drift_ratio{${ofWorkers}}`, "{{limbeck_worker}}"]],
        ),
        chart(
          {
            title: "Canaries",
            description: "Soft targets asked for again, by what came of it.",
            unit: "short",
          },
          [[`sum by (result) (increase(limbeck_canaries_total{${ofWorkers}}[$__rate_interval]))`, "{{result}}"]],
        ),
        chart(
          {
            title: "Found in the cache",
            description: "Share of the examples looked up. A warm cache is at 1, and teachers are idle.",
            unit: "percentunit",
          },
          [
            [
              `sum(rate(limbeck_cache_lookups_total{${ofWorkers}, result="hit"}[$__rate_interval])) / sum(rate(limbeck_cache_lookups_total{${ofWorkers}}[$__rate_interval]))`,
              "hits",
            ],
          ],
          { max: 1 },
        ),
        chart({ title: "Bytes of the cache", description: "Logits read from it, and given to it.", unit: "Bps" }, [
          [rate("limbeck_cache_bytes_total", ofWorkers, ["direction"]), "{{direction}}"],
        ]),
        chart(
          {
            title: "What the format costs",
            description: "KL divergence from the softened distribution to what came through float16 or topk.",
            unit: "suffix: nats",
          },
          [[`limbeck_soft_target_error_nats{${ofWorkers}}`, "{{limbeck_worker}}"]],
        ),
        chart(
          {
            title: "Soft targets needed",
            description: "By students, in examples, wherever they came from.",
            unit: "suffix: /s",
          },
          [[rate("limbeck_soft_targets_total", ofWorkers, ["limbeck_worker"]), "{{limbeck_worker}}"]],
          { isStacked: true },
        ),
      ],
    },
  ],
};
