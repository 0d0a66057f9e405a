/** What the coordinator waits for, why, and for how long (L7): for the deadline, /state and the log alike. */
import { reasonOf } from "./ending.ts";
import { missing } from "./gather.ts";
import type { Active, Ending, Plan, Worker } from "./state.ts";

export interface Wait {
  readonly for: readonly string[];
  readonly why: string;
  readonly limitMs: number;
}

export function waitOf(plan: Plan, state: Active | Ending): Wait {
  const { patience } = plan;
  const described = (names: readonly string[]) => names.map((name) => describe(state.workers, name));
  switch (state.kind) {
    case "gathering": {
      const limitMs = state.course === null ? patience.gatherMs : patience.pauseMs;
      return { for: missing(plan, state), why: state.why, limitMs };
    }
    case "recovering": {
      const missing = [...state.expected.keys()].filter(
        (name) => !state.workers.some((worker) => worker.name === name),
      );
      const why = `the coordinator was started again, and its members of term ${state.term} come back`;
      return { for: missing, why, limitMs: 2 * patience.rejoinMs };
    }
    case "readying": {
      const members = [...state.deal.map(({ worker }) => worker), ...state.teachers];
      const unready = members.filter((name) => !state.ready.has(name));
      const why = `${state.course.plan.stage} goes on when all members of term ${state.term} are ready`;
      return { for: described(unready), why, limitMs: patience.readyMs };
    }
    case "running": {
      const { tally, plan: current } = state.course;
      const busy = state.deal.map(({ worker }) => worker).filter((name) => !tally.done.has(name));
      const noTeacher = current.soft && state.teachers.length === 0 ? "; no teacher is there to serve it" : "";
      const why = `${current.stage} ends when all its students are done${noTeacher}`;
      return { for: described(busy), why, limitMs: noTeacher ? patience.pauseMs : patience.progressMs };
    }
    case "exporting": {
      const why = `${state.exporter} writes the models of ${state.result.plan.stage}`;
      return { for: described([state.exporter]), why, limitMs: patience.exportMs };
    }
    case "ending":
      return { for: state.workers.map(({ name }) => name), why: reasonOf(state.outcome), limitMs: patience.leaveMs };
  }
}

function describe(workers: readonly Worker[], name: string): string {
  const status = workers.find((worker) => worker.name === name)?.status;
  if (!status) return name;
  return `${name} (${status.waitingFor ? `waits for ${status.waitingFor}` : status.doing})`;
}
