/** Which part of the teacher its workers serve: see core/teacherparts.ts. */
import { createHash } from "node:crypto";
import type { Job } from "../core/job.ts";
import { mixtureIdentity, mixtureOf } from "../core/mixture.ts";
import { dealParts, type PartWorker, partsWithout } from "../core/partdeal.ts";
import { isApart, teacherParts } from "../core/teacherparts.ts";
import type { Living, Readying, Worker } from "./state.ts";

type Workers = Pick<Living, "workers" | "servingSeconds">;

/** Each of these teachers gets a part. They keep what they have, unless nobody would serve another. */
export function withParts(
  { teacher }: Job,
  { workers, servingSeconds }: Workers,
  teachers: readonly Worker[],
): Workers {
  const dealt = dealParts(teacherParts(teacher).length, partWorkers(teachers, servingSeconds));
  const isMoved = ({ name, part }: Worker) => part !== null && dealt.has(name) && dealt.get(name) !== part;
  const measured = new Map(servingSeconds);
  for (const { name } of workers.filter(isMoved)) measured.delete(name);
  return {
    workers: workers.map((worker) => ({ ...worker, part: dealt.get(worker.name) ?? worker.part })),
    servingSeconds: measured,
  };
}

export function partWorkers(teachers: readonly Worker[], servingSeconds: Living["servingSeconds"]): PartWorker[] {
  return teachers.map(({ name, part }) => ({ name, part, secondsPerExample: servingSeconds.get(name) ?? null }));
}

/** Parts that none of these teachers serves, as the job names them. */
export function idleParts({ teacher }: Job, workers: readonly Worker[], teachers: readonly string[]): string[] {
  const parts = teacherParts(teacher);
  const serving = workers.filter(({ name }) => teachers.includes(name));
  return partsWithout(parts.length, serving).map((part) => parts[part]!.field);
}

/**
 * What is wrong with the members that teachers have got ready so far; null where nothing is (L6). Of a member all must
 * have the same, and all members must make the ensemble that the students evaluated.
 * @param taught its digest; "" where it is not known
 */
export function wrongMember(
  { teacher, distil }: Job,
  { workers, teachers, ready }: Pick<Readying, "workers" | "teachers" | "ready">,
  taught: string,
): string | null {
  if (!isApart(teacher)) return null;
  const digests = new Map<number, { readonly sha256: string; readonly worker: string }>();
  for (const { name, part } of workers.filter(({ name }) => teachers.includes(name) && ready.has(name))) {
    const sha256 = ready.get(name)!.weightsSha256;
    const other = digests.get(part!) ?? { sha256, worker: name };
    if (other.sha256 !== sha256) {
      return `${other.worker} and ${name} would serve different models as teacher.ensemble.${part}: ${other.sha256} and ${sha256}`;
    }
    digests.set(part!, other);
  }
  const members = teacher.ensemble.flatMap((_, part) => digests.get(part)?.sha256 ?? []);
  if (taught === "" || members.length < teacher.ensemble.length) return null;
  const mixture = mixtureIdentity(mixtureOf(teacher, distil.temperature), members);
  const served = createHash("sha256").update(mixture).digest("hex");
  if (served === taught) return null;
  return `the members that are served, ${members.join(", ")}, make the ensemble ${served}, the students evaluated ${taught}: their files, or the models on their servers, are not the same everywhere`;
}

/** By teacher, for journal and events; nothing where each serves the whole. */
export function partsToTell(
  { teacher }: Job,
  workers: readonly Worker[],
  teachers: readonly string[],
): { readonly parts?: Readonly<Record<string, number>> } {
  if (!isApart(teacher)) return {};
  const partOf = (name: string) => workers.find((worker) => worker.name === name)!.part!;
  return { parts: Object.fromEntries(teachers.map((name) => [name, partOf(name)])) };
}
