/** The live page: hears the coordinator, and shows what is new, once a frame at most. */
import { showCheckpoints, showLog, showTimeline } from "./course.ts";
import { createCrew } from "./crew.ts";
import { createCurves } from "./curves.ts";
import { byId, setAttribute, setText } from "./dom.ts";
import { type Model, modelOf, updated } from "./model.ts";
import { showOverview } from "./overview.ts";
import { showSoftTargets } from "./softtargets.ts";
import { createStepTime } from "./steptime.ts";
import { listen } from "./stream.ts";

const curves = createCurves();
const stepTime = createStepTime();
const crew = createCrew();
let model: Model | null = null;
let isConnected = false;
let isDue = false;

/** A page in the background draws nothing: no frame comes. */
function due(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    showConnection();
    if (model) show(model);
  });
}

function show(known: Model): void {
  showOverview(known);
  curves.show(known);
  stepTime.show(known);
  crew.show(known);
  showSoftTargets(known);
  showTimeline(known);
  showCheckpoints(known);
  showLog(known);
}

function showConnection(): void {
  const isOver = model?.history.facts.ended !== null && model !== null;
  const text = isConnected ? "live" : isOver ? "the job is over" : "connection lost, trying again";
  setText(byId("connection"), text);
  setAttribute(byId("connection"), "data-is", isConnected ? "live" : isOver ? "over" : "lost");
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

for (const id of ["logFilter", "logFaults"]) byId(id).addEventListener("input", () => model && showLog(model));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const part of [curves, stepTime, crew]) part.redraw();
});
addEventListener("resize", () => {
  for (const part of [curves, stepTime]) part.resize();
  crew.redraw();
});
