/** On the page of a service's job: the jobs beside it, and where it is when it does not run here. */
import type { ClusterView, JobLine } from "../../../core/live/cluster.ts";
import { duration } from "../../../core/words.ts";
import { byId, type Cell, fillRows, setAttribute, setText } from "./dom.ts";
import { jobHref, modelOf, stoodText } from "./jobwords.ts";
import type { Model } from "./model.ts";

/** Its id, where the page is one of a service's; else null. */
export const ownJob = /^\/jobs\/([a-z0-9-]+)\/$/.exec(location.pathname)?.[1] ?? null;

/** @param model what the page has heard of the job itself, and shows */
export function showNeighbours(view: ClusterView, id: string, model: Model | null): void {
  const { running, waiting, over, asked, standing } = view;
  const beside = running.lines.some((job) => job.id === id) || asked === null ? [] : [asked];
  fillRows(
    byId("jobs"),
    [...beside, ...running.lines].map((job) => cells(job, id)),
  );
  byId("jobs").closest("div")!.hidden = standing === "standby";
  byId("allJobs").hidden = false;
  const counts = ` · ${running.all} running, ${waiting.all} waiting, ${over.all} over`;
  setText(byId("allJobs").lastElementChild!, standing === "standby" ? "" : counts);
  const [text, link] = whereabouts(view, id, model);
  byId("elsewhere").hidden = text === "" && link === null;
  setText(byId("elsewhere").children[0]!, text);
  const anchor = byId("elsewhere").children[1] as HTMLAnchorElement;
  anchor.hidden = link === null;
  setAttribute(anchor, "href", link?.href ?? "/");
  setText(anchor, link?.text ?? "");
  if (!model) showResting(view, id);
}

interface Link {
  readonly text: string;
  readonly href: string;
}

/** The page was opened before the job was done; one that is opened then is the report itself, where there is one. */
let isBefore = false;

/** Why nothing new comes, where nothing does. */
function whereabouts(view: ClusterView, id: string, model: Model | null): readonly [text: string, link: Link | null] {
  const { name, standing, leader, asked } = view;
  if (standing === "standby") {
    const link = leader && { text: `The job at ${leader.name}`, href: `http://${leader.http}${jobHref(id)}` };
    return [model ? `${name} stands by. ${stoodText(view)}` : stoodText(view), link];
  }
  if (standing === "waiting") return [stoodText(view), null];
  if (!asked) return [`${name} has no job ${id}, or has it no more.`, null];
  const { state, why } = asked;
  if (state === "done") return ["", isBefore ? { text: "Its report", href: jobHref(id) } : null];
  isBefore = true;
  const isToldAlready = !model || state === "running" || (isOver(state) && model.history.facts.ended !== null);
  return [isToldAlready ? "" : `The job is ${state}: ${why}`, null];
}

function isOver(state: JobLine["state"]): boolean {
  return state === "failed" || state === "cancelled";
}

/** In place of what its coordinator would say. */
function showResting({ name, standing, asked }: ClusterView, id: string): void {
  setText(byId("name"), id);
  const state = asked?.state ?? (standing === "standby" ? `${name} stands by` : "unknown");
  setText(byId("state"), state);
  setText(byId("announced"), `${id}: ${state}`);
  setText(byId("why"), asked?.why ?? "");
  setAttribute(byId("standing"), "class", `verdict ${asked?.state === "failed" ? "does_not_beat" : ""}`);
  document.title = `${state} · ${id} · Limbeck`;
}

function cells({ id, state, progress }: JobLine, own: string): Cell[] {
  const left = progress?.remainingSeconds ?? null;
  return [
    { text: id, href: id === own ? "#job" : jobHref(id) },
    state,
    progress?.stage ? modelOf(progress.stage) : "–",
    progress ? `${Math.floor(100 * progress.share)} %` : "–",
    left === null ? "–" : duration(left),
  ];
}
