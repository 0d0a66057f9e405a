/** Does a fault to a cluster, and to its end: whoever was struck is well again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Member, Role } from "./cluster.ts";
import type { Fault } from "./faults.ts";

/** A fault that was done, in the time of events.jsonl. */
export interface Struck {
  readonly kind: Fault["kind"];
  readonly atMs: number;
  readonly worker: string | null;
  readonly role: Role | "coordinator";
  /** Until it was undone. */
  readonly lastsMs: number;
}

const mostStudents = 8;

/** `struck` is told at once; resolves when the fault is undone. Calls nothing where nobody is left to strike. */
export async function strike(cluster: Cluster, fault: Fault, struck: (done: Struck) => void): Promise<void> {
  const { kind, lastsMs } = fault;
  const tell = (member: Member | null, role: Struck["role"] = member?.role ?? "coordinator") =>
    struck({ kind, atMs: Date.now(), worker: member?.name ?? null, role, lastsMs });
  switch (kind) {
    case "kill-coordinator":
      tell(null);
      return cluster.killCoordinator(lastsMs);
    case "add": {
      const added = await addStudent(cluster);
      if (added) tell(added);
      return;
    }
    case "kill-student":
    case "kill-teacher":
    case "terminate":
    case "remove":
    case "freeze":
    case "partition": {
      const member = chosen(cluster, fault);
      if (!member || (kind === "remove" && cluster.living("student").length < 3)) return;
      tell(member);
      return afflict(cluster, member, { kind, lastsMs });
    }
  }
}

async function afflict(
  cluster: Cluster,
  member: Member,
  { kind, lastsMs }: { kind: Exclude<Fault["kind"], "add" | "kill-coordinator">; lastsMs: number },
): Promise<void> {
  switch (kind) {
    case "kill-student":
    case "kill-teacher":
      return cluster.kill(member, lastsMs);
    case "terminate":
      return cluster.terminate(member, lastsMs);
    case "remove":
      return cluster.remove(member);
    case "freeze": {
      const frozen = member.child!.process;
      frozen.kill("SIGSTOP");
      await sleep(lastsMs);
      frozen.kill("SIGCONT");
      return;
    }
    case "partition":
      for (const link of member.links) link.cut();
      await sleep(lastsMs);
      for (const link of member.links) link.heal();
      return;
  }
}

async function addStudent(cluster: Cluster): Promise<Member | null> {
  if (cluster.living("student").length >= mostStudents) return null;
  let number = 1;
  while (cluster.members.has(`student-${number}`)) number++;
  await cluster.join(`student-${number}`, "student");
  return cluster.members.get(`student-${number}`)!;
}

function chosen(cluster: Cluster, { kind, target }: Fault): Member | undefined {
  const role =
    kind === "kill-student" || kind === "remove" ? "student" : kind === "kill-teacher" ? "teacher" : undefined;
  const there = cluster.living(role);
  return there[Math.floor(target * there.length)];
}
