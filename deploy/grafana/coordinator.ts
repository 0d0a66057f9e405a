/** The coordinator: does it lead, can it write, is it quick. */
import type { Page } from "./page.ts";
import { chart, figure, ofJob, ofWorkers, quantiles, rate, table } from "./panels.ts";

/** Of its process, which in a service is of no job; there are the processes of those that stand by, too. */
const ofCoordinator = 'limbeck_job=~"$job|", limbeck_role="coordinator"';

export const coordinator: Page = {
  name: "coordinator",
  title: "Coordinator",
  description: "Does one coordinator lead, can it write its journal, is it quick; checkpoints and calls.",
  sections: [
    {
      title: "Does it lead",
      panels: [
        figure(
          { title: "Leaders", description: "Coordinators that decide for the job: must be 1.", unit: "none" },
          [[`sum(limbeck_leader{${ofJob}})`, ""]],
          { warns: [null, 2] },
        ),
        figure({ title: "Term", description: "Number of the current membership.", unit: "none" }, [
          [`limbeck_term{${ofJob}}`, ""],
        ]),
        figure(
          { title: "Decides for", description: "Since this coordinator began to decide for the job.", unit: "s" },
          [[`time() - limbeck_leader_start_timestamp_seconds{${ofJob}}`, ""]],
        ),
        figure(
          {
            title: "Started again",
            description: "Times it was taken up on its journal, as this process has seen.",
            unit: "short",
          },
          [[`limbeck_coordinator_recoveries_total{${ofJob}}`, ""]],
          { warns: [1, 6] },
        ),
        figure(
          { title: "Job runs for", description: "Since the job began, over all lives of its coordinator.", unit: "s" },
          [[`time() - limbeck_job_start_timestamp_seconds{${ofJob}}`, ""]],
        ),
        figure(
          {
            title: "Checkpoints passed over",
            description: "Found damaged when the job was resumed.",
            unit: "short",
          },
          [[`limbeck_checkpoints_passed_over_total{${ofJob}}`, ""]],
          { warns: [1, 2] },
        ),
        table(
          {
            title: "Build",
            description: "Version of every process. A worker of another version is refused.",
            unit: "none",
          },
          `limbeck_build_info{${ofJob}} or limbeck_build_info{${ofCoordinator}}`,
          ["limbeck_job", "Value"],
        ),
        chart(
          {
            title: "Scraped",
            description: "1 for each process that Prometheus reaches, by role.",
            unit: "short",
          },
          [[`sum by (limbeck_role) (up{${ofJob}})`, "{{limbeck_role}}"]],
        ),
      ],
    },
    {
      title: "Can it write",
      panels: [
        chart(
          {
            title: "Journal",
            description:
              "Until a decision was on disk. Everybody waits for it; a second is as long as a worker may be silent.",
            unit: "s",
          },
          quantiles("limbeck_journal_append_seconds", ofJob),
        ),
        figure(
          {
            title: "Journal failures",
            description: "Decisions that could not be written. One ends the coordinator.",
            unit: "short",
          },
          [[`limbeck_journal_failures_total{${ofJob}}`, ""]],
          { width: 6, warns: [null, 1] },
        ),
        figure(
          {
            title: "Checkpoint failures",
            description: "Checkpoints that students could not write.",
            unit: "short",
          },
          [[`sum(limbeck_checkpoint_failures_total{${ofWorkers}})`, ""]],
          { width: 6, warns: [null, 1] },
        ),
        chart(
          {
            title: "Age of the checkpoint",
            description: "What would be computed again if all workers died. A saw: each fall is a checkpoint.",
            unit: "s",
          },
          [[`limbeck_job:checkpoint_age:seconds{${ofJob}}`, "age"]],
        ),
        chart(
          {
            title: "Time to write a checkpoint",
            description: "Training goes on meanwhile, but for the copy that the phase checkpoint is.",
            unit: "s",
          },
          quantiles("limbeck_checkpoint_seconds", ofWorkers),
        ),
        chart({ title: "Size of a checkpoint", description: "Weights, optimizer, ledger.", unit: "bytes" }, [
          [`limbeck_checkpoint_size_bytes{${ofJob}}`, "{{stage}}"],
        ]),
        chart({ title: "Checkpoints written", description: "By stage.", unit: "short" }, [
          [`sum by (stage) (increase(limbeck_checkpoints_total{${ofJob}}[$__rate_interval]))`, "{{stage}}"],
        ]),
      ],
    },
    {
      title: "Is it quick",
      panels: [
        chart(
          {
            title: "Messages",
            description: "From and to workers, and to whoever watches.",
            unit: "suffix: /s",
          },
          [
            [rate("grpc_server_msg_received_total", ofCoordinator, ["grpc_method"]), "{{grpc_method}} in"],
            [rate("grpc_server_msg_sent_total", ofCoordinator, ["grpc_method"]), "{{grpc_method}} out"],
          ],
        ),
        chart(
          {
            title: "Calls that ended, by code",
            description: "Join lasts as long as a worker does.",
            unit: "reqps",
          },
          [
            [
              `sum by (grpc_method, grpc_code) (rate(grpc_server_handled_total{${ofCoordinator}}[$__rate_interval])) > 0`,
              "{{grpc_method}} {{grpc_code}}",
            ],
          ],
        ),
        chart(
          {
            title: "Event loop lag",
            description: "Of the coordinator. While it is held up, nobody is found lost and nothing is decided.",
            unit: "s",
          },
          [
            [`nodejs_eventloop_lag_p50_seconds{${ofCoordinator}}`, "p50 {{instance}}"],
            [`nodejs_eventloop_lag_p99_seconds{${ofCoordinator}}`, "p99 {{instance}}"],
          ],
        ),
        chart(
          {
            title: "Garbage collection",
            description: "Share of the coordinator's time.",
            unit: "percentunit",
          },
          [
            [
              `sum by (kind, instance) (rate(nodejs_gc_duration_seconds_sum{${ofCoordinator}}[$__rate_interval]))`,
              "{{kind}} {{instance}}",
            ],
          ],
        ),
        chart({ title: "Memory", description: "Resident, and the heap in use.", unit: "bytes" }, [
          [`process_resident_memory_bytes{${ofCoordinator}}`, "resident {{instance}}"],
          [`nodejs_heap_size_used_bytes{${ofCoordinator}}`, "heap {{instance}}"],
        ]),
        chart(
          {
            title: "Processor and files",
            description: "Seconds of processor time a second, and open files in hundreds.",
            unit: "short",
          },
          [
            [`rate(process_cpu_seconds_total{${ofCoordinator}}[$__rate_interval])`, "cores {{instance}}"],
            [`process_open_fds{${ofCoordinator}} / 100`, "hundred files {{instance}}"],
          ],
        ),
      ],
    },
  ],
};
