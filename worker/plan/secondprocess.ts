/** The process that computes beside the one that calibrates. */
import { planStages } from "../../core/stages.ts";
import { openSolo } from "../solo.ts";
import { measureSteps, stepOf } from "./measured.ts";
import type { SecondAnswer, SecondOrder } from "./second.ts";

let opening: ReturnType<typeof openSolo> | null = null;
const say = (answer: SecondAnswer) => void process.send!(answer);

async function obey(order: SecondOrder): Promise<void> {
  if (order.kind === "prepare") {
    opening = openSolo(order.job, order.jobFolder, order.scratchFolder);
    await opening;
    say({ kind: "ready" });
    return;
  }
  const { context } = await opening!;
  const { job, dataset } = context;
  const plan = planStages(job, dataset.count("train"))[1]!;
  const cost = await measureSteps(context, { plan, term: 1, forMs: order.forMs });
  say({ kind: "step", seconds: stepOf(cost, job.lanes.count) });
}

process.on("message", (order: SecondOrder) => {
  obey(order).catch(() => process.exit(1));
});
process.once("disconnect", () => process.exit(0));
