/** What the coordinator waits for, why, and for how long (L7): for the deadline, /state and the log alike. */
import { isApart } from "../core/teacherparts.ts";
import { reasonOf } from "./ending.ts";
import { missing } from "./gather.ts";
import { absentees } from "./members.ts";
import { idleParts } from "./parts.ts";
import type { Active, Ending, Plan, Worker } from "./state.ts";

export interface Wait {
  readonly for: readonly string[];
  readonly why: string;
  readonly limitMs: number;
}

export function waitOf(plan: Plan, state: Active | Ending): Wait {
  const { patience } = plan;
  const described = (names: readonly string[]) => describe(state.workers, names);
  switch (state.kind) {
    case "gathering": {
      const limitMs = state.course === null ? patience.gatherMs : patience.pauseMs;
      const lacking = missing(plan, state);
      // All are there, and those whom the others could not reach are not tried again yet.
      const resting = [...state.bench.keys()].map((name) => `${name} to have rested`);
      return { for: lacking.length > 0 ? lacking : resting, why: state.why, limitMs };
    }
    case "recovering": {
      const why = `the coordinator was started again, and its members of term ${state.term} come back`;
      return { for: absentees(state), why, limitMs: patience.returnMs + patience.rejoinMs };
    }
    case "readying": {
      const members = [...state.deal.map(({ worker }) => worker), ...state.teachers];
      const unready = members.filter((name) => !state.ready.has(name));
      const why = `${state.course.plan.stage} goes on when all members of term ${state.term} are ready`;
      const limitMs = waitsForServer(state.workers, unready) ? patience.pauseMs : patience.readyMs;
      return { for: described(unready), why, limitMs };
    }
    case "running": {
      const { tally, plan: current } = state.course;
      const busy = state.deal.map(({ worker }) => worker).filter((name) => !tally.done.has(name));
      if (busy.length === 0) {
        const names = described(state.deal.map(({ worker }) => worker));
        const why = `${current.stage} ends when its students have told all shares of the evaluation`;
        return { for: names, why, limitMs: patience.progressMs };
      }
      const idle = current.soft ? idleParts(plan.job, state.workers, state.teachers) : [];
      const whom = isApart(plan.job.teacher) ? idle.join(" and ") : "it";
      const noTeacher = idle.length > 0 ? `; no teacher is there to serve ${whom}` : "";
      const why = `${current.stage} ends when all its students are done${noTeacher}`;
      const isLong = noTeacher || waitsForServer(state.workers, busy);
      return { for: described(busy), why, limitMs: isLong ? patience.pauseMs : patience.progressMs };
    }
    case "exporting": {
      const why = `${state.exporter} writes the models of ${state.result.plan.stage}`;
      return { for: described([state.exporter]), why, limitMs: patience.exportMs };
    }
    case "ending":
      return { for: state.workers.map(({ name }) => name), why: reasonOf(state.outcome), limitMs: patience.leaveMs };
  }
}

/** The others wait for whoever of them waits for a server of somebody else's. */
function waitsForServer(workers: readonly Worker[], names: readonly string[]): boolean {
  return workers.some(({ name, status }) => status.serverAway && names.includes(name));
}

function describe(workers: readonly Worker[], names: readonly string[]): string[] {
  const statusOf = new Map(workers.map(({ name, status }) => [name, status]));
  return names.map((name) => {
    const status = statusOf.get(name);
    if (!status) return name;
    return `${name} (${status.waitingFor ? `waits for ${status.waitingFor}` : status.doing})`;
  });
}
