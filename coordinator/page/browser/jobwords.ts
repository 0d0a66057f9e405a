/** How both pages of a service name what they show. */
import type { ClusterView, JobLine } from "../../../core/live/cluster.ts";
import type { Stage } from "../../../core/stages.ts";
import { modelOfStage } from "../../report/models.ts";
import { setAttribute, setText } from "./dom.ts";

export function jobHref(id: string): string {
  return `/jobs/${id}/`;
}

export function modelOf(stage: string): string {
  return modelOfStage[stage as Stage] ?? stage;
}

export function showPill(pill: Element, state: JobLine["state"]): void {
  setAttribute(pill, "class", "pill");
  setAttribute(pill, "data-is", state);
  setText(pill, state);
}

/** Who decides, in a sentence. */
export function stoodText({ name, standing, leader }: ClusterView): string {
  switch (standing) {
    case "leading":
      return `Workers join and jobs are submitted at ${leader?.address}.`;
    case "waiting":
      return "It leads, and decides nothing until its store answers. Jobs that run go on.";
    case "standby":
      return leader ? `${leader.name} at ${leader.address} leads.` : `Nobody leads now; ${name} may, in a moment.`;
  }
}
