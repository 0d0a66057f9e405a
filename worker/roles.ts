/**
 * What a worker has of its roles, kept from term to term: a student, laid out for the term it is in, and a teacher.
 * L8. Who has turned from one role to the other keeps nothing of the first; the trained weights stay, as models.
 */
import type { StagePlan } from "../core/stages.ts";
import { KeptCache } from "./cache/kept.ts";
import { type WorkerContext, withDataset } from "./context.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Membership } from "./membership.ts";
import type { Report } from "./reports.ts";
import { Student } from "./student.ts";
import { StudentTerm, type StudentTermParts } from "./studentterm.ts";
import { Teacher, type WantedTeacher } from "./teacher.ts";

/** Whom a student tells in a term what it has done. */
export type Listeners = Pick<StudentTermParts, "reports" | "isHeard" | "saved">;

export class Roles {
  readonly #context: WorkerContext<Dataset | null>;
  readonly #cache = new KeptCache();
  #student: Student | null = null;
  #studentTerm: StudentTerm | null = null;
  #teacher: Teacher | null = null;

  constructor(context: WorkerContext<Dataset | null>) {
    this.#context = context;
  }

  get student(): Student | null {
    return this.#student;
  }

  /** null where it has no lanes, or is not laid out for them yet. */
  get studentTerm(): StudentTerm | null {
    return this.#studentTerm;
  }

  get teacher(): Teacher | null {
    return this.#teacher;
  }

  async keepOnly(role: "student" | "teacher"): Promise<void> {
    const { device } = this.#context;
    if (role === "teacher" && this.#student) {
      await this.#student.saved().catch(() => {});
      this.#student = null;
      await this.#cache.close();
      await device.ask("drop", { name: "trained" });
    }
    if (role === "student" && this.#teacher) {
      this.#teacher = null;
      await device.ask("drop", { name: "teacher" });
    }
  }

  /** Gets the teacher that is wanted, and gives soft targets of it from now on. */
  async serve(wanted: WantedTeacher & Pick<Membership, "plan">, signal: AbortSignal): Promise<Teacher> {
    if (!this.#teacher?.fits(wanted)) this.#teacher = await Teacher.prepare(this.#context, wanted, signal);
    this.#context.services.softTargets.serve(this.#teacher!.serving(wanted.term, wanted.plan.stage));
    return this.#teacher!;
  }

  /** The stage's, as it is kept; else a new one, at step 0. */
  async studentOf(plan: StagePlan, signal: AbortSignal): Promise<Student> {
    return this.#student?.replica.plan.stage === plan.stage ? this.#student : await this.#build(plan, signal);
  }

  /** Lays the student out for a term. Tells where it stands, and which checkpoints it looked at. */
  async layOut(membership: Membership, listeners: Listeners, signal: AbortSignal): Promise<Report["ready"]> {
    const { plan, restore, restoreBelow } = membership;
    // A checkpoint is for who has nothing; all go back to one only where what they have is not to be trusted.
    const goesBack = restore && restoreBelow > 0;
    const kept = this.#student;
    const student = goesBack ? await this.#build(plan, signal) : await this.studentOf(plan, signal);
    const told = student !== kept && restore ? await student.restore(restoreBelow) : { restoredFrom: "", skipped: [] };
    await student.layOut(membership);
    const [context, cache] = [withDataset(this.#context), this.#cache];
    this.#studentTerm = new StudentTerm({ context, membership, student, cache, ...listeners });
    return { ...(await student.standing()), ...told, skipped: [...told.skipped] };
  }

  /** The term is over, or another begins. */
  endTerm(): void {
    this.#studentTerm = null;
  }

  /** The coordinator counts on nothing of the replica any more. */
  forgetStudent(): void {
    this.#student = null;
    this.#studentTerm = null;
  }

  /** What is being saved is saved, where it can be, and has come to where it is to go. */
  async close(): Promise<void> {
    await this.#student?.saved().catch(() => {});
    await this.#context.depot?.close();
    await this.#cache.close();
  }

  async #build(plan: StagePlan, signal: AbortSignal): Promise<Student> {
    await this.#student?.saved().catch(() => {});
    this.#student = null;
    this.#student = await Student.build(withDataset(this.#context), plan, signal);
    return this.#student;
  }
}
