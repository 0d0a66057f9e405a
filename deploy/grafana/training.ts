/** Is the job alive, what is it doing, what is wrong; what do the models learn; where does the time go. */
import type { Page } from "./page.ts";
import { chart, figure, ofJob, ofWorkers, rate, states, table } from "./panels.ts";

const stepPhases = `limbeck_step_phase_seconds_sum{${ofWorkers}, phase!="data"}`;
const stepsDone = `limbeck_step_phase_seconds_count{${ofWorkers}, phase="compute"}`;

export const training: Page = {
  name: "training",
  title: "Training",
  description: "One job: is it alive, what is it doing, what is wrong, what do teacher, student and baseline learn.",
  sections: [
    {
      title: "Is it alive, what is it doing, what is wrong",
      panels: [
        figure(
          {
            title: "State",
            description: "Of the job. paused: too few students; recovering: its coordinator was started again.",
            unit: "none",
          },
          [[`limbeck_job_state{${ofJob}} == 1`, "{{state}}"]],
          { shows: "name" },
        ),
        figure(
          {
            title: "Since the last step",
            description: "Or since the coordinator's start, where it has seen none. Red after five minutes.",
            unit: "s",
          },
          [[`time() - limbeck_job:last_progress:timestamp_seconds{${ofJob}}`, ""]],
          { warns: [60, 300] },
        ),
        figure(
          { title: "Workers", description: "With a session, by role.", unit: "none" },
          [[`sum by (role) (limbeck_workers{${ofJob}})`, "{{role}}"]],
          { shows: "both" },
        ),
        figure(
          { title: "Progress", description: "Share of each stage's steps that are done.", unit: "percentunit" },
          [[`limbeck_progress_ratio{${ofJob}}`, "{{stage}}"]],
          { shows: "both" },
        ),
        figure(
          {
            title: "Time left",
            description: "Until the last step of each stage that has begun, at its pace so far.",
            unit: "s",
          },
          [[`limbeck_eta_seconds{${ofJob}}`, "{{stage}}"]],
          { shows: "both" },
        ),
        figure(
          {
            title: "Alerts",
            description: "Of this job, that are pending or firing. They are named below.",
            unit: "none",
          },
          [[`count(ALERTS{${ofJob}}) or vector(0)`, ""]],
          { warns: [null, 1] },
        ),
        states(
          { title: "States", description: "Of the job, over time.", unit: "none" },
          [[`limbeck_job_state{${ofJob}} == 1`, "{{state}}"]],
          12,
        ),
        table(
          {
            title: "What is wrong",
            description: "Alerts of this job. What each means and what to do is in its annotations.",
            unit: "none",
          },
          `ALERTS{${ofJob}}`,
          ["limbeck_job", "Value", "instance"],
        ),
        figure(
          {
            title: "Doctor",
            description: "Checks by what their newest finding is. A refusal ends the job.",
            unit: "none",
          },
          [[`limbeck_doctor_findings{${ofJob}}`, "{{severity}}"]],
          { width: 8, shows: "both" },
        ),
        figure(
          {
            title: "Steps skipped",
            description: "For their gradient was not finite; see quarantine.jsonl.",
            unit: "short",
          },
          [[`sum(limbeck_nonfinite_steps_total{${ofJob}})`, ""]],
          { warns: [1, 5] },
        ),
        figure(
          {
            title: "Ledger",
            description: "Examples that an epoch consumed twice, or not at all. Anything but 0 is a fault of Limbeck.",
            unit: "short",
          },
          [[`sum(limbeck_ledger_duplicates{${ofJob}}) + sum(limbeck_ledger_gaps{${ofJob}})`, ""]],
          { warns: [null, 1] },
        ),
        figure(
          {
            title: "Age of the checkpoint",
            description: "What would be computed again if all workers died now.",
            unit: "s",
          },
          [[`limbeck_job:checkpoint_age:seconds{${ofJob}}`, ""]],
          { warns: [1800, 3600] },
        ),
        figure(
          {
            title: "Workers lost",
            description: "That died, fell silent or were thrown out since the coordinator's start.",
            unit: "short",
          },
          [[`limbeck_workers_lost_total{${ofJob}}`, ""]],
          { warns: [1, 10] },
        ),
      ],
    },
    {
      title: "What teacher, student and baseline learn",
      panels: [
        chart(
          {
            title: "Loss",
            description:
              "Mean over the last reported steps: the weighted sum of soft and hard loss. The student's has a soft part, so it is not comparable with the others'.",
            unit: "suffix: nats",
          },
          [[`limbeck_loss_nats{${ofJob}, component="total"}`, "{{stage}}"]],
        ),
        chart(
          {
            title: "Parts of the student's loss",
            description: "soft: towards the teacher, at the job's temperature; hard: towards the labels.",
            unit: "suffix: nats",
          },
          [[`limbeck_loss_nats{${ofJob}, stage="distil"}`, "{{component}}"]],
        ),
        chart(
          {
            title: "Accuracy on the test set",
            description: "In the evaluations at the ends of epochs. What it was worth: student over baseline.",
            unit: "percentunit",
          },
          [[`limbeck_evaluation_accuracy_ratio{${ofJob}}`, "{{stage}}"]],
        ),
        chart(
          {
            title: "Accuracy in training",
            description:
              "Over the last reported steps, with dropout and views. agreement: student and teacher say the same.",
            unit: "percentunit",
          },
          [
            [`limbeck_training_accuracy_ratio{${ofJob}}`, "{{stage}}"],
            [`limbeck_teacher_agreement_ratio{${ofJob}}`, "agreement"],
          ],
        ),
        chart(
          {
            title: "Cross-entropy on the test set",
            description: "Rising while accuracy stands still: the model becomes surer than it is right.",
            unit: "suffix: nats",
          },
          [[`limbeck_evaluation_cross_entropy_nats{${ofJob}}`, "{{stage}}"]],
        ),
        chart(
          {
            title: "Norm of the gradient",
            description:
              "L2, of the mean gradient before clipping. One that grows is a learning rate that is too high.",
            unit: "short",
          },
          [[`limbeck_gradient_norm{${ofJob}}`, "{{stage}}"]],
        ),
        chart(
          { title: "Learning rate", description: "Of the last reported step, after the schedule.", unit: "short" },
          [[`limbeck_learning_rate{${ofJob}}`, "{{stage}}"]],
        ),
        chart(
          {
            title: "Temperature",
            description: "At which teacher and student are softened while the student distils.",
            unit: "short",
          },
          [[`limbeck_temperature{${ofJob}}`, "{{stage}}"]],
        ),
      ],
    },
    {
      title: "Where the time goes",
      panels: [
        chart(
          {
            title: "Examples",
            description: "Consumed by all students together, with those that are done again after a rollback.",
            unit: "suffix: /s",
          },
          [[rate("limbeck_samples_total", ofJob, ["stage"]), "{{stage}}"]],
        ),
        chart({ title: "Steps", description: "Optimizer updates.", unit: "suffix: /s" }, [
          [rate("limbeck_steps_total", ofJob, ["stage"]), "{{stage}}"],
        ]),
        chart(
          {
            title: "A step, by phase",
            description:
              "Mean wall time of a step of the chosen students. data is left out, for it runs while compute does; it is beside it in Shares.",
            unit: "s",
          },
          [
            [
              `sum by (phase) (rate(${stepPhases}[$__rate_interval])) / on () group_left () sum(rate(${stepsDone}[$__rate_interval]))`,
              "{{phase}}",
            ],
          ],
          { isStacked: true },
        ),
        chart(
          {
            title: "Share of each student's time",
            description:
              "Seconds of a second, of the chosen students together: much exchange is a slow peer or network, much teacher_wait too few teachers.",
            unit: "percentunit",
          },
          [
            [
              `sum by (phase) (rate(limbeck_step_phase_seconds_sum{${ofWorkers}}[$__rate_interval])) / on () group_left () count(limbeck_student_steps_total{${ofWorkers}, limbeck_role="student"})`,
              "{{phase}}",
            ],
          ],
        ),
      ],
    },
  ],
};
