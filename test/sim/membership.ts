/** Orders, understood: as worker/membership.ts, which test/sim does not import for its data loaders. */
import type { Assigned, Beginning } from "../../core/participant.ts";
import type { Assign } from "../../proto/gen/limbeck/v1/Assign.ts";
import type { Begin } from "../../proto/gen/limbeck/v1/Begin.ts";
import type { Member as ToldMember } from "../../proto/gen/limbeck/v1/Member.ts";

export interface Member {
  readonly worker: string;
  readonly firstLane: number;
  readonly lanes: number;
}

export interface PartTeacher {
  readonly worker: string;
  readonly part: number;
}

export interface Membership extends Assigned {
  /** Place of the stage in the job. */
  readonly stage: number;
  readonly students: readonly Member[];
  readonly teachers: readonly PartTeacher[];
  readonly rank: number | null;
  readonly isTeacher: boolean;
  readonly part: number;
  readonly teacherSha256: string;
  readonly teacherSources: readonly string[];
  readonly restore: boolean;
  readonly restoreBelow: number;
}

export function understand(
  term: number,
  assign: Assign,
  { name, indexOf }: { name: string; indexOf: (stage: string) => number },
): Membership {
  const students = (assign.students as Member[]).filter(({ lanes }) => lanes > 0);
  const at = students.findIndex(({ worker }) => worker === name);
  const teachers = teachersIn(assign);
  const rank = at < 0 ? null : at;
  const own = teachers.find(({ worker }) => worker === name);
  const isTeacher = own !== undefined;
  return {
    term,
    planned: assign.planned!,
    member: rank !== null || isTeacher,
    stage: indexOf(assign.stage!),
    students,
    teachers,
    rank,
    isTeacher,
    part: own?.part ?? 0,
    teacherSha256: assign.teacherSha256!,
    teacherSources: assign.teacherSources!.map(({ worker }) => worker!),
    restore: assign.restore!,
    restoreBelow: Number(assign.restoreBelow),
  };
}

export function beginningOf(term: number, begin: Begin): Beginning {
  const { step, sources, sumSources, evaluate, teacherEngine, uncacheable } = begin;
  const from = { sources: sources!, sumSources: sumSources! };
  const engine = { teacherEngine: teacherEngine!, uncacheable: uncacheable! };
  return { term, step: Number(step), ...from, evaluate: evaluate!, ...engine };
}

export function teachersIn({ teachers }: { readonly teachers?: readonly ToldMember[] }): PartTeacher[] {
  return teachers!.map(({ worker, part }) => ({ worker: worker!, part: part! }));
}
