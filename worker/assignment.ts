/** What one term asks of this worker, from Assign to the next one. */
import type { LimbeckError } from "../core/errors.ts";
import type { Stage } from "../core/stages.ts";
import type { Assign__Output } from "../proto/gen/limbeck/v1/Assign.ts";
import type { FromWorker } from "../proto/gen/limbeck/v1/FromWorker.ts";
import { bytesOf } from "./artifacts/bytes.ts";
import type { WorkerContext } from "./context.ts";
import { exportStage } from "./export.ts";
import { type Membership, understand } from "./membership.ts";
import { Reports } from "./reports.ts";
import { Student } from "./student.ts";
import { prepareTeacher } from "./teacher.ts";

export class Assignment {
  readonly term: number;
  readonly #context: WorkerContext;
  readonly #membership: Membership;
  readonly #reports: Reports;
  readonly #ending = new AbortController();
  #student: Student | null = null;

  /** @param send tells the coordinator */
  constructor(context: WorkerContext, term: number, assign: Assign__Output, send: (message: FromWorker) => void) {
    this.term = term;
    this.#context = context;
    this.#membership = understand(term, assign, context.job, context.dataset.count("train"));
    this.#reports = new Reports(term, send);
  }

  async prepare(role: "student" | "teacher"): Promise<void> {
    const { services, trained, status } = this.#context;
    services.peers.server.openTerm(this.term);
    if (role === "student") {
      const teacher = trained.get("teach");
      if (teacher && this.#membership.plan.soft) {
        const weights = {
          kind: "teacher" as const,
          step: 0,
          slice: 0,
          payload: [bytesOf(teacher.weights)],
          sha256: teacher.sha256,
        };
        services.peers.server.publish({ term: this.term, ...weights });
      }
      this.#student = await Student.prepare(this.#context, this.#membership);
      this.#reports.ready(this.#student.ready());
    } else if (this.#membership.plan.soft) {
      const teacher = await prepareTeacher(this.#context, this.#membership, this.#ending.signal);
      services.softTargets.serve({
        term: this.term,
        teacher: teacher.sha256,
        dataset: this.#context.dataset.digest,
        answer: teacher.answer,
      });
      this.#reports.ready({ parameters: teacher.parameters, weightsSha256: teacher.sha256, step: 0 });
      status.doing = "serving soft targets";
      return;
    } else {
      this.#reports.ready({ parameters: 0, weightsSha256: "", step: 0 });
    }
    status.doing = "waiting for the others";
  }

  async begin(): Promise<void> {
    await this.#student?.run(this.#reports, this.#ending.signal);
  }

  async export(stage: string): Promise<void> {
    const models = await exportStage(this.#context, stage as Stage, this.#ending.signal);
    this.#reports.exported({ stage, models });
  }

  /** The term is over for this worker: what waits is woken, what runs stops after its op. */
  end(why: LimbeckError): void {
    this.#ending.abort(why);
    this.#context.services.softTargets.stop(this.term);
  }
}
