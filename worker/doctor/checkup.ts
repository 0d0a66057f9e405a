/** `limbeck doctor JOB.yaml`: what can be known of a job before it runs, with one process as teacher and student. */
import { type CheckName, type Finding, notRun } from "../../core/doctor/finding.ts";
import { sourceOfTeacher } from "../../core/jobteacher.ts";
import type { LedgerPlan } from "../../core/ledger.ts";
import { together } from "../../core/teacherparts.ts";
import { modelRequest, type WorkerContext } from "../context.ts";
import { factsOf } from "../data/dataset.ts";
import { formatOf } from "../softtargets/format.ts";
import { inputSource } from "../softtargets/inputs.ts";
import { answerMs, keysOf } from "../softtargetsupply.ts";
import { Teacher } from "../teacher.ts";
import { examineModels, examineTeaching } from "./examination.ts";
import { TeacherLines } from "./teacherlines.ts";

/** What only a trained teacher can be asked. */
const ofTeacher: readonly CheckName[] = ["teacher-accuracy", "soft-targets", "soft-term", "pairing", "replicas"];
const term = 1;

export async function checkUp(given: WorkerContext, signal: AbortSignal): Promise<Finding[]> {
  // One process serves all members: what they give is the same.
  const job = { ...given.job, teacher: together(given.job.teacher) };
  const context = { ...given, job };
  const { temperature, softWeight } = job.distil;
  const objective = { temperature, softWeight };
  const findings = await examineModels(context, { objective, roles: ["teacher", "student"] });
  const without = (why: string) => [...findings, ...ofTeacher.map((check) => notRun(check, why))];
  if (findings.some(({ severity }) => severity === "refusal")) return without("the models must fit first");
  if (sourceOfTeacher(job.teacher) === null) {
    return without("the teacher is trained by this job, and examined before the first step of distil");
  }
  const lines = await serveAlone(context, signal);
  try {
    const { dataset, device } = context;
    await device.ask("build", { name: "trained", ...modelRequest(context, "student") });
    const { count: lanes, batch: laneBatch } = job.lanes;
    const ledger: LedgerPlan = { seed: job.seed, trainExamples: dataset.count("train"), lanes, laneBatch };
    const taught = await examineTeaching(
      { context, ledger, objective, teachers: lines.all, cached: async () => null },
      signal,
    );
    const [models] = findings;
    return [models!, ...taught];
  } finally {
    lines.close();
  }
}

/** Serves the teacher as a teacher worker does, to this very process. */
async function serveAlone(context: WorkerContext, signal: AbortSignal): Promise<TeacherLines> {
  const { job, dataset, services, name } = context;
  const wanted = { term, part: 0, teacherSha256: "", teacherSources: [], dataset: factsOf(dataset) };
  const teacher = await Teacher.prepare(context, wanted, signal);
  services.softTargets.serve(teacher.serving(term, "distil"));
  const teachers = [{ worker: name, address: services.address, part: 0 }];
  const format = formatOf(job.softTargets, job.distil.temperature);
  const { classes } = dataset;
  const settings = {
    job,
    term,
    teachers,
    format,
    classes,
    inputs: inputSource(context, "distil"),
    deadlineMs: answerMs(job),
    onNoTeacher: "fail",
    random: Math.random,
  } as const;
  return new TeacherLines(settings, keysOf(context, "distil", teacher.sha256));
}
