/** What the job does, how far each stage is, and the figures in short. */
import type { StagePast } from "../../../core/live/history.ts";
import { counted, duration, fixed, percent, whole } from "../../../core/words.ts";
import { colourOfStage, modelOfStage } from "../../report/models.ts";
import { byId, fill, fillFigures, fillRows, setAttribute, setText } from "./dom.ts";
import type { Model } from "./model.ts";

/** How a job stands, in a word, and whether that is well. */
function standing({ job, history: { facts } }: Model): { word: string; is: "" | "beats" | "does_not_beat" } {
  if (facts.ended) {
    const { kind } = facts.ended;
    return { word: kind, is: kind === "finished" ? "beats" : kind === "failed" ? "does_not_beat" : "" };
  }
  const isStuck = job.state === "paused" || job.state === "gathering" || job.state === "recovering";
  return { word: job.state, is: isStuck ? "" : "beats" };
}

/** @param name what the job is called here */
export function showOverview(model: Model, name: string): void {
  const { job, workers, history } = model;
  const { facts, stages } = history;
  const { is } = standing(model);
  const current = stages.find(({ stage }) => stage === job.stage);
  const doing = doingText(model);
  setText(byId("name"), name);
  setText(byId("state"), doing);
  setText(byId("announced"), `${name} is ${doing}`);
  setText(byId("why"), facts.ended?.why || reason(model));
  setAttribute(byId("standing"), "class", `verdict ${is}`);
  setText(byId("facts"), factsText(model));
  const done = overall(model);
  document.title = `${Math.floor(100 * done)} % · ${name} · Limbeck`;
  const left = leftText(model, current);
  fill(byId("stages"), facts.started?.stages ?? [], {
    make: () => {
      const bar = document.createElement("div");
      bar.className = "course";
      bar.append(document.createElement("span"), document.createElement("progress"), document.createElement("span"));
      return bar;
    },
    show(bar, stage) {
      const past = stages.find((each) => each.stage === stage);
      const share = shareDone(past);
      const [name, progress, told] = bar.children as unknown as [Element, HTMLProgressElement, Element];
      setText(name, modelOfStage[stage]);
      setAttribute(progress, "class", `c${colourOfStage[stage]}`);
      setAttribute(progress, "aria-label", `progress of the ${modelOfStage[stage]}`);
      if (progress.value !== share) progress.value = share;
      setText(told, progressText(past, current?.stage === stage));
    },
  });
  const latest = current?.latest;
  fillFigures(byId("figures"), [
    ["examples per second", latest ? whole.format(latest.samplesPerSecond) : "–"],
    ["loss", fixed(latest?.loss ?? null, 4)],
    ["training accuracy", latest ? percent(latest.accuracy) : "–"],
    ["time left in the stage", left],
    ["workers", String(workers.size)],
    ["term", String(job.term)],
    ["faults survived", String(facts.faults)],
  ]);
}

/** Where it is the only one. */
export function showOneJob(model: Model): void {
  const { job, history } = model;
  const current = history.stages.find(({ stage }) => stage === job.stage);
  const progress = `${Math.floor(100 * overall(model))} %`;
  const row = [{ text: job.job, href: "#job" }, doingText(model), modelOf(current), progress, leftText(model, current)];
  fillRows(byId("jobs"), [row]);
}

function doingText(model: Model): string {
  const { word } = standing(model);
  const { stages, facts } = model.history;
  const current = stages.find(({ stage }) => stage === model.job.stage);
  return current && !facts.ended ? `${word}: ${modelOfStage[current.stage]}` : word;
}

function leftText({ history: { facts } }: Model, current: StagePast | undefined): string {
  return current?.latest && !facts.ended ? duration(current.latest.etaSeconds) : "–";
}

function reason({ job }: Model): string {
  return job.waitingFor.length > 0 && job.state !== "running"
    ? `${job.why}; waiting for ${job.waitingFor.join(", ")}`
    : job.why;
}

function factsText({ history: { facts } }: Model): string {
  const { started, dataset } = facts;
  if (!started) return "";
  const date = new Date(started.atMs);
  const examples = dataset ? ` · ${whole.format(dataset.trainExamples)} training examples` : "";
  return `begun ${date.toLocaleString("en-GB")}${examples} · ${counted(started.lanes, "lane")} of ${started.laneBatch} · numerics ${started.numerics} · seed ${started.seed}`;
}

/** Over the stages, each alike: how long they last, nobody knows beforehand. */
function overall({ history: { facts, stages } }: Model): number {
  const planned = facts.started?.stages ?? [];
  const shares = planned.map((stage) => shareDone(stages.find((each) => each.stage === stage)));
  return planned.length === 0 ? 0 : shares.reduce((sum, share) => sum + share, 0) / planned.length;
}

function shareDone(past: StagePast | undefined): number {
  if (past?.finished) return 1;
  return past?.latest ? past.latest.step / past.latest.steps : 0;
}

function progressText(past: StagePast | undefined, isCurrent: boolean): string {
  const { finished = null, latest = null } = past ?? {};
  if (finished)
    return `done in ${duration(finished.wallSeconds)}, ${whole.format(finished.score.errors)} errors, ${percent(finished.score.accuracy)} right`;
  if (!latest) return isCurrent ? "gets ready" : "";
  return `step ${whole.format(latest.step)} of ${whole.format(latest.steps)}, epoch ${latest.epoch.toFixed(1)} of ${latest.epochs.toFixed(0)}, ${duration(latest.etaSeconds)} left`;
}

function modelOf(past: StagePast | undefined): string {
  return past ? modelOfStage[past.stage] : "–";
}
