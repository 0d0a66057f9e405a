/** The pages of the service: the list at /, what it shows at /cluster, and below /jobs/ each job's own page, status and metrics. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isOver } from "../../core/jobstate.ts";
import type { ClusterView } from "../../core/live/cluster.ts";
import { answerPage, type Handler, type Handlers, json } from "../../proto/telemetry/http.ts";
import { answerText } from "../../proto/telemetry/httpserver.ts";
import { servicePageFiles } from "../page/files.ts";
import type { Asked } from "./clusterview.ts";
import type { Standing } from "./main.ts";
import { type Results, textOf } from "./results.ts";
import type { OpenRun } from "./runs.ts";
import type { QueuedJob } from "./vocabulary.ts";

export interface PagesParts {
  readonly standing: () => Standing;
  readonly results: Results;
  readonly view: (asked: Asked) => ClusterView;
}

export function servicePages({ standing, results, view }: PagesParts): Handlers {
  const { files, jobPage } = servicePageFiles();
  const toList: Handler = (_, response) => redirect(response, "/");
  return {
    ...files,
    "/cluster": clusterHandler(view),
    "/jobs": toList,
    "/jobs/*": async (request, response, asked) => {
      const { pathname } = asked;
      const [, id = "", what = ""] = /^\/jobs\/([a-z0-9-]*)(\/(?:events|state|metrics)?)?$/.exec(pathname) ?? [];
      if (pathname === "/jobs/") return redirect(response, "/");
      if (id === "") return answerText(response, 404, "there is /jobs/ID/, /jobs/ID/state and /jobs/ID/metrics");
      // The page asks for what is below it.
      if (what === "") return redirect(response, `/jobs/${id}/`);
      const at = standing();
      const run = at.kind === "leading" ? at.reign.runs.all.get(id) : undefined;
      if (what !== "/") return ofRun(run, what, { request, response, asked });
      const job = at.kind === "leading" ? at.reign.state.jobs.get(id) : null;
      if (job === undefined) return answerText(response, 404, `no job has the id ${id}: / lists those there are`);
      const text = job && isOver(job.phase.kind) ? await reportOf(results, job) : null;
      if (text === null) return jobPage(request, response, asked);
      response.writeHead(200, reportHeaders).end(text);
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly asked: URL;
}

async function ofRun(run: OpenRun | undefined, what: string, { request, response, asked }: Exchange): Promise<void> {
  if (what === "/events" && !run) {
    // A browser asks no more after this answer; the page does, for the job may run here yet.
    response.writeHead(204).end();
  } else if (!run) {
    answerText(response, 404, "no such job runs here");
  } else if (what === "/state") {
    const state = json(run.status());
    await answerPage(response, () => state);
  } else if (what === "/metrics") {
    await answerPage(response, () => run.metrics(request.headers.accept ?? ""));
  } else if (request.method === "HEAD") {
    response.writeHead(200, { "content-type": "text/event-stream" }).end();
  } else {
    run.feed.open(request, response, asked);
  }
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end();
}

/** All pages that are open are told the same. */
const freshMs = 400;
const mostKept = 64;

function clusterHandler(view: PagesParts["view"]): Handler {
  const made = new Map<string, { readonly atMs: number; readonly text: string; readonly etag: string }>();
  const current = (asked: Asked) => {
    const key = JSON.stringify(asked);
    const atMs = performance.now();
    const known = made.get(key);
    if (known && atMs - known.atMs < freshMs) return known;
    const text = JSON.stringify(view(asked));
    const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
    const anew = { atMs, text, etag };
    if (made.size >= mostKept) made.clear();
    made.set(key, anew);
    return anew;
  };
  return (request, response, { searchParams }) => {
    const asked = (name: string) => searchParams.get(name)?.slice(0, 100) ?? "";
    const { text, etag } = current({ job: asked("job"), find: asked("find"), findWorker: asked("worker") });
    const headers = { "content-type": "application/json", "cache-control": "no-cache", etag };
    if (request.headers["if-none-match"] === etag) response.writeHead(304, headers).end();
    else response.writeHead(200, headers).end(text);
  };
}

/**
 * The report's own policy, which stands in it, names its style and its script. This one keeps the rest from a file that
 * lies where workers write, too: it has no origin, so it reads nothing of this server.
 */
const reportHeaders = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "sandbox allow-scripts; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Some hundred times what one has. It lies where workers write: they may put there what they like. */
const mostReportBytes = 32 << 20;

/** With a way back to the list; null where the job has left none. */
async function reportOf(results: Results, job: QueuedJob): Promise<string | null> {
  try {
    const text = await textOf(await results.open(job, "report.html"), mostReportBytes);
    return text.replace("<main>", '<main>\n<p class="kicker"><a href="/">All jobs</a></p>');
  } catch {
    return null; // The page says how the job ended.
  }
}
