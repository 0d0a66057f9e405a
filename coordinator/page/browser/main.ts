/** The live page: hears the coordinator, and shows what is new, once a frame at most. */
import type { ClusterView } from "../../../core/live/cluster.ts";
import { follow } from "./cluster.ts";
import { showCheckpoints, showLog, showTimeline } from "./course.ts";
import { createCrew } from "./crew.ts";
import { createCurves } from "./curves.ts";
import { byId, setAttribute, setText } from "./dom.ts";
import { type Model, modelOf, updated } from "./model.ts";
import { ownJob, showNeighbours } from "./neighbours.ts";
import { showOneJob, showOverview } from "./overview.ts";
import { showSoftTargets } from "./softtargets.ts";
import { createStepTime } from "./steptime.ts";
import { listen } from "./stream.ts";

const curves = createCurves();
const stepTime = createStepTime();
const crew = createCrew();
let model: Model | null = null;
/** Of a service. */
let cluster: ClusterView | null = null;
let isConnected = false;
/** The service answers. */
let isReached = false;
let isDue = false;

/** A page in the background draws nothing: no frame comes. */
function due(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    showConnection();
    if (model) show(model);
    if (cluster && ownJob !== null) showNeighbours(cluster, ownJob, model);
  });
}

function show(known: Model): void {
  setAttribute(byId("job"), "class", "");
  showOverview(known, ownJob ?? known.job.job);
  if (ownJob === null) showOneJob(known);
  curves.show(known);
  stepTime.show(known);
  crew.show(known);
  showSoftTargets(known);
  showTimeline(known);
  showCheckpoints(known);
  showLog(known);
}

function showConnection(): void {
  const quiet = quietText();
  setText(byId("connection"), isConnected ? "live" : (quiet ?? "connection lost, trying again"));
  setAttribute(byId("connection"), "data-is", isConnected ? "live" : quiet === null ? "lost" : "over");
}

/** Why there is no stream, though nothing is lost: a job of a service may be over, run elsewhere, or not now. */
function quietText(): string | null {
  if (isReached && cluster)
    return cluster.standing === "standby" ? "stands by" : (cluster.asked?.state ?? "no such job");
  return model && model.history.facts.ended !== null ? "the job is over" : null;
}

listen({
  snapshot(snapshot) {
    model = modelOf(snapshot);
    due();
  },
  delta(delta) {
    if (model) model = updated(model, delta);
    due();
  },
  connected(is) {
    isConnected = is;
    due();
  },
});

if (ownJob !== null) {
  follow(() => ({ job: ownJob! }), {
    view(view) {
      cluster = view;
      due();
    },
    connected(is) {
      isReached = is;
      due();
    },
  });
}

for (const id of ["logFilter", "logFaults"]) byId(id).addEventListener("input", () => model && showLog(model));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const part of [curves, stepTime, crew]) part.redraw();
});
addEventListener("resize", () => {
  for (const part of [curves, stepTime]) part.resize();
  crew.redraw();
});
