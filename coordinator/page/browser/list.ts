/** The list of a service's jobs: asks the coordinator, and shows what it says. */
import type { ClusterView, JobLine, JobProgress, Shown, WorkerLine } from "../../../core/live/cluster.ts";
import { counted, duration, whole } from "../../../core/words.ts";
import { follow } from "./cluster.ts";
import { byId, type Cell, fill, fillRows, setAttribute, setText } from "./dom.ts";
import { jobHref, modelOf, showPill, stoodText } from "./jobwords.ts";

const find = byId<HTMLInputElement>("find");
const findWorker = byId<HTMLInputElement>("findWorker");

function show(view: ClusterView): void {
  showStanding(view);
  const isLeading = view.standing !== "standby";
  byId("lists").hidden = !isLeading;
  if (!isLeading) return;
  const { running, waiting, over, workers } = view;
  const counts = `${running.all} running, ${waiting.all} waiting, ${over.all} over`;
  setText(byId("counts"), counts);
  setText(byId("announced"), `${counts}; ${counted(workers.all, "worker")}`);
  document.title = `${running.all} running · Limbeck`;
  const none = {
    running: running.all + waiting.all + over.all === 0 ? `None yet: ${submitHint(view)}` : "None.",
    waiting: "None.",
    over: "None.",
  };
  for (const name of ["running", "waiting", "over"] as const) showJobs(name, view[name], none[name]);
  setText(byId("workersMore"), countText(workers, `None: limbeck worker --coordinator ${view.leader?.address}`));
  fillRows(byId("workerRows"), workers.lines.map(workerCells));
}

function submitHint({ leader }: ClusterView): string {
  return `limbeck submit JOB.yaml --coordinator ${leader?.address ?? ""}`;
}

function showStanding(view: ClusterView): void {
  const { name, standing, leader } = view;
  const badge = { leading: "leads", waiting: "waits for its store", standby: "stands by" }[standing];
  setText(byId("state"), `${name} ${badge}`);
  const isWell = standing === "leading" || leader !== null;
  setAttribute(
    byId("standing"),
    "class",
    `verdict ${standing === "standby" ? "" : isWell ? "beats" : "does_not_beat"}`,
  );
  setText(byId("leader"), stoodText(view));
  const link = byId<HTMLAnchorElement>("leaderLink");
  link.hidden = standing !== "standby" || leader === null;
  if (leader) setAttribute(link, "href", `http://${leader.http}/`);
  setText(link, leader ? `The jobs at ${leader.name}` : "");
  if (standing === "standby") {
    setText(byId("announced"), stoodText(view));
    document.title = `${name} stands by · Limbeck`;
  }
}

function showJobs(id: "running" | "waiting" | "over", jobs: Shown<JobLine>, none: string): void {
  fill(byId(id), jobs.lines, { make: makeJob, show: showJob });
  setText(byId(`${id}More`), countText(jobs, none));
}

/** What is not in the lines. */
function countText({ lines, found, all }: Shown<unknown>, none: string): string {
  if (all === 0) return none;
  if (found === 0) return `None of ${whole.format(all)} has it.`;
  const more = found - lines.length;
  return more > 0 ? `and ${whole.format(more)} more: Find shows those that you look for.` : "";
}

function makeJob(): Element {
  const item = document.createElement("li");
  const [who, time, progress] = ["span", "span", "progress"].map((name) => document.createElement(name));
  who!.className = "who";
  time!.className = "time";
  const pill = document.createElement("span");
  who!.append(document.createElement("a"), pill);
  const [facts, why] = ["facts", "why"].map((name) => {
    const text = document.createElement("p");
    text.className = name;
    return text;
  });
  item.append(who!, progress!, facts!, time!, why!);
  return item;
}

function showJob(item: Element, job: JobLine): void {
  const [who, bar, facts, time, why] = item.children as unknown as [
    Element,
    HTMLProgressElement,
    Element,
    Element,
    Element,
  ];
  const { id, state, progress } = job;
  const [link, pill] = who.children;
  setText(link!, id);
  setAttribute(link!, "href", jobHref(id));
  showPill(pill!, state);
  setAttribute(item, "class", progress ? "running" : "");
  bar.hidden = progress === null;
  if (progress) {
    setAttribute(bar, "class", "c0");
    setAttribute(bar, "aria-label", `progress of ${id}`);
    if (bar.value !== progress.share) bar.value = progress.share;
  }
  setText(facts, progress ? progressText(progress, job) : restingText(job));
  setText(time, progress ? leftText(progress) : sinceText(job));
  setText(why, job.why);
}

function progressText({ stage, step, steps, samplesPerSecond, workers }: JobProgress, job: JobLine): string {
  const at = stage === null ? "gets ready" : `${modelOf(stage)}, step ${whole.format(step)} of ${whole.format(steps)}`;
  const rate = samplesPerSecond > 0 ? [`${whole.format(samplesPerSecond)} examples/s`] : [];
  return [at, ...rate, counted(workers, "worker"), ...common(job)].join(" · ");
}

function restingText(job: JobLine): string {
  const { errors } = job;
  if (!errors) return common(job).join(" · ");
  const baseline = errors.baseline === null ? "" : `, baseline ${whole.format(errors.baseline)}`;
  const text = `errors: teacher ${whole.format(errors.teacher)}, student ${whole.format(errors.student)}${baseline}`;
  return [text, ...common(job)].join(" · ");
}

function common({ priority, by }: JobLine): string[] {
  return [`priority ${priority}`, ...(by === "" ? [] : [`by ${by}`])];
}

function leftText({ share, remainingSeconds }: JobProgress): string {
  const left = remainingSeconds === null ? "" : `, ${duration(remainingSeconds)} left`;
  return `${Math.floor(100 * share)} %${left}`;
}

function sinceText({ state, sinceMs }: JobLine): string {
  const since = new Date(sinceMs);
  const isToday = since.toDateString() === new Date().toDateString();
  const text = isToday
    ? since.toLocaleTimeString("en-GB", { timeStyle: "short" })
    : since.toLocaleString("en-GB", { dateStyle: "short", timeStyle: "short" });
  return state === "queued" || state === "paused" ? `since ${text}` : text;
}

function workerCells({ worker, role, place, job, why }: WorkerLine): Cell[] {
  const where = { idle: "idle", working: `in ${job}`, leaving: `leaves ${job}`, between: "between jobs" }[place];
  return [worker, role, job === "" ? where : { text: where, href: jobHref(job) }, why];
}

let isConnected = false;
const ask = follow(() => ({ find: find.value, worker: findWorker.value }), {
  view: show,
  connected(is) {
    isConnected = is;
    setText(byId("connection"), isConnected ? "live" : "connection lost, trying again");
    setAttribute(byId("connection"), "data-is", isConnected ? "live" : "lost");
  },
});
for (const input of [find, findWorker]) input.addEventListener("input", ask);
