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
  const wait = waitInState(plan, state);
  if (state.kind === "ending" || !state.complaint) return wait;
  return { ...wait, why: `${wait.why}; ${state.complaint.error.message}` };
}

function waitInState(plan: Plan, state: Active | Ending): Wait {
  const { patience } = plan;
  const described = (names: readonly string[]) => names.map((name) => describe(state.workers, name));
  switch (state.kind) {
    case "gathering": {
      const unprepared = state.workers.filter(({ prepared }) => prepared === null).map(({ name }) => name);
      const why = "the job begins when all its workers have joined and are prepared";
      return { for: [...missing(plan, state), ...described(unprepared)], why, limitMs: patience.gatherMs };
    }
    case "readying": {
      const members = [...state.deal.map(({ worker }) => worker), ...state.teachers];
      const unready = members.filter((name) => !state.ready.has(name));
      const why = `${state.plan.stage} begins when all members of term ${state.term} are ready`;
      return { for: described(unready), why, limitMs: patience.readyMs };
    }
    case "running": {
      const busy = state.deal.map(({ worker }) => worker).filter((name) => !state.tally.done.has(name));
      const why = `${state.plan.stage} ends when all its students are done`;
      return { for: described(busy), why, limitMs: patience.progressMs };
    }
    case "exporting": {
      const why = `the lead student writes the models of ${state.plan.stage}`;
      return { for: described([state.deal[0]!.worker]), why, limitMs: patience.exportMs };
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
