/** Who computes what and how fast, and how gradients are averaged. */
import type { Page } from "./page.ts";
import { chart, figure, ofJob, ofSeen, ofWorkers, quantiles, rate, table } from "./panels.ts";

const ofStudents = `${ofWorkers}, limbeck_role="student"`;

export const workers: Page = {
  name: "workers",
  title: "Workers and averaging",
  description: "Who computes what and how fast, what the averaging of gradients costs, and how faults were survived.",
  sections: [
    {
      title: "Workers",
      panels: [
        table(
          {
            title: "Who is there",
            description: "Workers with a session, and where each serves its metrics.",
            unit: "none",
          },
          `limbeck_worker_info{${ofSeen}}`,
          ["limbeck_job", "limbeck_role", "instance", "Value"],
        ),
        table(
          {
            title: "What computes",
            description: "Engine and device of each worker. All should have what you think.",
            unit: "none",
          },
          `limbeck_engine_info{${ofWorkers}}`,
          ["limbeck_job", "limbeck_worker", "instance", "Value"],
        ),
        chart(
          { title: "Lanes", description: "That each student computes of a step in the current term.", unit: "short" },
          [[`limbeck_worker_lanes{${ofSeen}}`, "{{worker}}"]],
          { isStacked: true },
        ),
        chart(
          {
            title: "Time for a lane",
            description: "As last measured. The slower a student, the fewer lanes it gets.",
            unit: "s",
          },
          [[`limbeck_worker_lane_seconds{${ofSeen}}`, "{{worker}}"]],
        ),
        chart(
          {
            title: "Slower than the others",
            description: "Time for a lane over the mean of the other students. 1 is alike, 3 a straggler.",
            unit: "suffix: times",
          },
          [[`limbeck_worker:lane_slowdown:ratio{${ofSeen}}`, "{{worker}}"]],
        ),
        chart(
          {
            title: "Step behind the first",
            description:
              "Steps that a student is behind the furthest, as they last said. More than a report's worth is one that catches up.",
            unit: "short",
          },
          [
            [
              `max by (limbeck_job) (limbeck_worker_step{${ofSeen}}) - on (limbeck_job) group_right () (limbeck_worker_step{${ofSeen}} and on (worker) limbeck_worker_info{${ofSeen}, role="student"})`,
              "{{worker}}",
            ],
          ],
        ),
        chart(
          {
            title: "Silent for",
            description: "Since a worker was last heard. After 1.2 s it is lost.",
            unit: "s",
          },
          [[`time() - limbeck_worker_heard_timestamp_seconds{${ofSeen}}`, "{{worker}}"]],
        ),
        chart(
          { title: "Examples of each student", description: "Of its own lanes.", unit: "suffix: /s" },
          [[rate("limbeck_student_samples_total", ofStudents, ["limbeck_worker"]), "{{limbeck_worker}}"]],
          { isStacked: true },
        ),
      ],
    },
    {
      title: "Averaging",
      panels: [
        chart(
          {
            title: "Time for an exchange",
            description: "Of a step: reduce-scatter and all-gather, with the wait for the slowest peer.",
            unit: "s",
          },
          quantiles("limbeck_step_phase_seconds", `${ofStudents}, phase="exchange"`),
        ),
        chart(
          {
            title: "Bus bandwidth",
            description:
              "2 (n-1)/n of the gradient's bytes over the time of the exchange: comparable whatever the number of students.",
            unit: "Bps",
          },
          [[`limbeck_exchange_bus_bytes_per_second{${ofStudents}}`, "{{limbeck_worker}}"]],
        ),
        chart(
          {
            title: "Bytes pulled",
            description: "From other workers. Those on one host use shared memory.",
            unit: "Bps",
          },
          [[rate("limbeck_exchange_received_bytes_total", ofWorkers, ["path"]), "{{path}}"]],
          { isStacked: true },
        ),
        chart(
          {
            title: "Pulled again",
            description:
              "Payloads that came damaged, or not at all. Any that stay are a network or a memory that damages bytes.",
            unit: "short",
          },
          [
            [`sum(increase(limbeck_exchange_retries_total{${ofWorkers}}[$__rate_interval]))`, "again"],
            [`sum(increase(limbeck_exchange_checksum_failures_total{${ofWorkers}}[$__rate_interval]))`, "damaged"],
          ],
        ),
      ],
    },
    {
      title: "Faults",
      panels: [
        figure(
          {
            title: "Replicas that differed",
            description: "From the others; each was thrown out and healed.",
            unit: "short",
          },
          [[`limbeck_replicas_diverged_total{${ofJob}}`, ""]],
          { width: 6, warns: [null, 1] },
        ),
        figure(
          {
            title: "Payloads damaged",
            description: "And fetched again, as workers told the coordinator.",
            unit: "short",
          },
          [[`limbeck_payloads_damaged_total{${ofJob}}`, ""]],
          { width: 6, warns: [1, 100] },
        ),
        figure(
          {
            title: "Found lost within",
            description: "Mean time from a lost worker's last sign of life until it was found out.",
            unit: "s",
          },
          [[`limbeck_fault_detection_seconds_sum{${ofJob}} / limbeck_fault_detection_seconds_count{${ofJob}}`, ""]],
          { width: 6 },
        ),
        figure(
          {
            title: "Went on within",
            description: "Mean time from the term or pause that a fault brought about until the next step.",
            unit: "s",
          },
          [[`limbeck_fault_recovery_seconds_sum{${ofJob}} / limbeck_fault_recovery_seconds_count{${ofJob}}`, ""]],
          { width: 6 },
        ),
        chart(
          {
            title: "Came and went",
            description: "Workers let in, gone in order, lost, refused.",
            unit: "short",
          },
          [
            [`sum(increase(limbeck_workers_joined_total{${ofJob}}[$__rate_interval]))`, "joined"],
            [`sum(increase(limbeck_workers_left_total{${ofJob}}[$__rate_interval]))`, "left"],
            [`sum(increase(limbeck_workers_lost_total{${ofJob}}[$__rate_interval]))`, "lost"],
            [`sum(increase(limbeck_workers_refused_total{${ofJob}}[$__rate_interval]))`, "refused"],
            [`sum(increase(limbeck_role_changes_total{${ofJob}}[$__rate_interval]))`, "changed role"],
          ],
        ),
        chart(
          {
            title: "Terms, by reason",
            description: "Memberships opened. speed again and again: machines whose speed changes.",
            unit: "short",
          },
          [[`sum by (reason) (increase(limbeck_terms_total{${ofJob}}[$__rate_interval]))`, "{{reason}}"]],
        ),
      ],
    },
    {
      title: "Machines",
      panels: [
        chart(
          {
            title: "GPU utilisation",
            description: "Share of time a GPU was busy, as nvidia-smi says.",
            unit: "percentunit",
          },
          [[`limbeck_gpu_utilisation_ratio{${ofWorkers}}`, "{{limbeck_worker}} GPU {{gpu}}"]],
          { max: 1 },
        ),
        chart(
          {
            title: "GPU memory",
            description: "Share in use by all processes.",
            unit: "percentunit",
          },
          [
            [
              `limbeck_gpu_memory_used_bytes{${ofWorkers}} / limbeck_gpu_memory_total_bytes{${ofWorkers}}`,
              "{{limbeck_worker}} GPU {{gpu}}",
            ],
          ],
          { max: 1 },
        ),
        chart({ title: "Memory", description: "Resident, of each worker.", unit: "bytes" }, [
          [`process_resident_memory_bytes{${ofWorkers}}`, "{{limbeck_worker}}"],
        ]),
        chart(
          {
            title: "Processors",
            description: "Seconds of processor time a second, of each worker.",
            unit: "suffix: cores",
          },
          [[rate("process_cpu_seconds_total", ofWorkers, ["limbeck_worker"]), "{{limbeck_worker}}"]],
          { isStacked: true },
        ),
        chart(
          {
            title: "Event loop lag",
            description: "p99. The main thread sends heartbeats: one that is held up for a second is a death.",
            unit: "s",
          },
          [[`nodejs_eventloop_lag_p99_seconds{${ofWorkers}}`, "{{limbeck_worker}}"]],
        ),
        chart(
          {
            title: "Calls that failed, by code",
            description:
              "Begun by the chosen workers: to the coordinator, teachers and peers. Cancelled is a term's end.",
            unit: "reqps",
          },
          [
            [
              `sum by (grpc_method, grpc_code) (rate(grpc_client_handled_total{${ofWorkers}, grpc_code!="OK"}[$__rate_interval])) > 0`,
              "{{grpc_method}} {{grpc_code}}",
            ],
          ],
        ),
      ],
    },
  ],
};
