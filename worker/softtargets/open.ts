/** Whom the students of a job ask for soft targets: teachers that serve the whole, or of each part some. */

import type { Job } from "../../core/job.ts";
import { mixtureOf } from "../../core/mixture.ts";
import { isApart, teacherParts } from "../../core/teacherparts.ts";
import { SoftTargetClient, type SoftTargetSettings } from "./client.ts";
import type { PartTeacher } from "./link.ts";
import { MixedSoftTargets } from "./mixed.ts";
import type { SoftTargetSource } from "./source.ts";

export type SourceSettings = Omit<SoftTargetSettings, "field" | "teachers"> & {
  readonly job: Pick<Job, "teacher" | "distil">;
  readonly teachers: readonly PartTeacher[];
};

export function openSoftTargets({ job, teachers, ...settings }: SourceSettings): SoftTargetSource {
  const parts = teacherParts(job.teacher);
  const members = parts.map(({ field }, at) => ({ field, teachers: teachers.filter(({ part }) => part === at) }));
  if (!isApart(job.teacher)) return new SoftTargetClient({ ...settings, ...members[0]! });
  return new MixedSoftTargets({ ...settings, mixture: mixtureOf(job.teacher, job.distil.temperature), members });
}

/**
 * The teachers in groups that can answer by themselves: each alone, or one of each part. Every teacher is in one at
 * least; of a part that has fewer than others its teachers are in several, of one that has none nobody is. Without any
 * teacher there is one group of nobody, which is waited for as a student waits.
 */
export function groupsOf(
  { teacher }: Pick<Job, "teacher">,
  teachers: readonly PartTeacher[],
): readonly PartTeacher[][] {
  const parts = teacherParts(teacher).map((_, at) => teachers.filter(({ part }) => part === at));
  const count = Math.max(1, ...parts.map(({ length }) => length));
  return Array.from({ length: count }, (_, at) => parts.flatMap((some) => some[at % some.length] ?? []));
}
