/** The teacher in the parts that workers serve: it as a whole, or the members of an ensemble that is served apart. */
import type { EnsembleSpec, TeacherSpec } from "./jobteacher.ts";

export interface TeacherPart {
  /** Where the job says it: "teacher", "teacher.ensemble.1". */
  readonly field: string;
  readonly spec: TeacherSpec;
}

/** In the order in which they are mixed; never empty. A worker serves one of them, and each needs at least one worker. */
export function teacherParts(teacher: TeacherSpec): readonly [TeacherPart, ...TeacherPart[]] {
  if (!isApart(teacher)) return [{ field: "teacher", spec: teacher }];
  const parts = teacher.ensemble.map(
    ({ weight: _, ...spec }, at): TeacherPart => ({
      field: `teacher.ensemble.${at}`,
      spec: spec as TeacherSpec,
    }),
  );
  return parts as [TeacherPart, ...TeacherPart[]];
}

export function isApart(teacher: TeacherSpec): teacher is EnsembleSpec {
  return "ensemble" in teacher && teacher.workers === "apart";
}

/** The same teacher, served as a whole: it gives the same bits (L1). */
export function together(teacher: TeacherSpec): TeacherSpec {
  return isApart(teacher) ? { ...teacher, workers: "together" } : teacher;
}
