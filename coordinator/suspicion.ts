/**
 * Members that do not reach each other though both reach the coordinator: a network is cut between them. One of the two
 * must go, or no step will ever be complete: the one that most do not reach.
 */
import { throwOut } from "./departure.ts";
import type { MessageOf } from "./messages.ts";
import type { Bench, Next, Plan, Readying, Running, Worker } from "./state.ts";

/** A member says that another did not answer. It may be dead, which its session or its silence will tell. */
export function suspected(state: Readying | Running, atMs: number, accuser: Worker, found: MessageOf<"suspect">): Next {
  const { worker: accused, why } = found;
  const isMember = state.deal.some(({ worker }) => worker === accused) || state.teachers.includes(accused);
  if (!isMember || accused === accuser.name) return [state];
  const before = state.suspicions.get(accused) ?? { sinceMs: atMs, by: new Set<string>(), why };
  const by = new Set(before.by).add(accuser.name);
  return [{ ...state, suspicions: new Map(state.suspicions).set(accused, { ...before, by }) }];
}

/** Who stayed under suspicion for `blameMs`, heard by us all the while, goes; null where nobody has to. */
export function judge(plan: Plan, state: Readying | Running, atMs: number): Next | null {
  const { blameMs, benchMs } = plan.patience;
  const ripe = [...state.suspicions].filter(([, { sinceMs }]) => atMs - sinceMs >= blameMs);
  if (ripe.length === 0) return null;
  const order = [...state.deal.map(({ worker }) => worker), ...state.teachers];
  const [accused, { by, why }] = ripe.reduce((worst, each) => {
    const more = each[1].by.size - worst[1].by.size || order.indexOf(each[0]) - order.indexOf(worst[0]);
    return more > 0 ? each : worst;
  });
  const worker = state.workers.find(({ name }) => name === accused);
  const suspicions = new Map(state.suspicions);
  suspicions.delete(accused);
  if (!worker) return [{ ...state, suspicions }];
  const rest = 2 * (state.bench.get(accused)?.benchMs ?? benchMs / 2);
  const benched: Bench = { untilMs: atMs + rest, benchMs: rest, why: "out of reach" };
  const bench = new Map(state.bench).set(accused, benched);
  const reason = `${[...by].join(", ")} cannot reach it (${why})`;
  return throwOut(plan, { ...state, suspicions, bench }, atMs, worker, reason);
}
