/**
 * /events: what an open page is told, as server-sent events. First everything (`snapshot`) or, for a page that comes
 * back, what it missed (`delta`); then, at most twice a second, what is new. An event's id says how many of the job's
 * progress events the page has had, so that it can come back to another life of the coordinator.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { ProgressEvent } from "../../core/events.ts";
import { History, slim } from "../../core/live/history.ts";
import { type Delta, placeOf, placeText, type Snapshot, type WorkerRow } from "../../core/live/message.ts";
import { answerText } from "../../proto/telemetry/httpserver.ts";
import type { EventLog } from "../eventlog.ts";
import type { JobStatus } from "../status.ts";
import { jobRow, workerRow } from "./rows.ts";

const tickMs = 500;
/** With many workers their rows are sent less often: so many of them a second. */
const rowsPerSecond = 200;
const aliveMs = 10_000;
/** Pages that are open at once. */
const mostReaders = 64;
/** A page that missed more than this begins anew. */
const mostMissed = 2_000;
const retryMs = 1_000;
const turnEvents = 500;

export class Feed {
  readonly #log: EventLog;
  readonly #status: () => JobStatus;
  readonly #history = new History();
  /** With whether what was last due to it is missing, because it had not read what came before. */
  readonly #readers = new Map<ServerResponse, { isBehind: boolean }>();
  readonly #following = new AbortController();
  #clock: NodeJS.Timeout | undefined;
  /** What was sent last. */
  #next = 0;
  #job = "";
  #rows = new Map<string, string>();
  #rowsAtMs = 0;
  #saidAtMs = 0;

  constructor(log: EventLog, status: () => JobStatus) {
    this.#log = log;
    this.#status = status;
    void this.#follow();
  }

  /** Answers a request for the stream. */
  readonly open = (request: IncomingMessage, response: ServerResponse, { searchParams }: URL): void => {
    if (this.#readers.size >= mostReaders) {
      answerText(response, 503, `${mostReaders} pages are open, which is the most`);
      return;
    }
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    const seen = request.headers["last-event-id"] ?? searchParams.get("after") ?? "";
    response.write(`retry: ${retryMs}\n\n${this.#greeting(String(seen))}`);
    // While nobody read, nothing was sent: the first reader has just had all there is.
    if (this.#readers.size === 0) this.#next = this.#history.facts.next;
    this.#readers.set(response, { isBehind: false });
    response.once("close", () => this.#leave(response));
    this.#clock ??= setInterval(() => this.#tick(), tickMs);
  };

  /** Says what there is left to say, and ends all streams. */
  close(): void {
    if (this.#readers.size > 0) this.#tick();
    this.#following.abort();
    // Nothing may be said after the end, which a reader that is slow has not had for a while yet.
    clearInterval(this.#clock);
    for (const response of this.#readers.keys()) response.end();
    this.#readers.clear();
  }

  async #follow(): Promise<void> {
    for await (const event of this.#log.follow({ signal: this.#following.signal })) {
      this.#history.hear(event);
      // What a long run left behind is taken in turns: workers are waiting to come back.
      if (this.#history.facts.next % turnEvents === 0) await setImmediate();
    }
  }

  #leave(response: ServerResponse): void {
    this.#readers.delete(response);
    if (this.#readers.size > 0) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #tick(): void {
    const said = this.#news();
    const isQuiet = said === "" && performance.now() - this.#saidAtMs > aliveMs;
    const text = isQuiet ? "event: alive\ndata:\n\n" : said;
    if (text !== "") this.#saidAtMs = performance.now();
    let whole: string | null = null;
    for (const [response, reader] of this.#readers) {
      // Nothing is added to what a slow reader has not taken yet: it gets everything anew when it has.
      if (response.writableNeedDrain) {
        if (said !== "") reader.isBehind = true;
        continue;
      }
      if (reader.isBehind) whole ??= this.#snapshot();
      const due = reader.isBehind ? whole! : text;
      reader.isBehind = false;
      if (due !== "") response.write(due);
    }
  }

  #greeting(seen: string): string {
    const place = placeOf(seen);
    const { next } = this.#history.facts;
    const isKnown = place?.run === this.#run && place.next <= next && next - place.next <= mostMissed;
    if (!isKnown) return this.#snapshot();
    const { workers, ...status } = this.#status();
    const delta: Delta = {
      ...{ events: this.#eventsFrom(place.next, next), next, job: jobRow({ ...status, workers }) },
      ...{ workers: workers.map(workerRow), gone: null },
    };
    return this.#message("delta", delta, next);
  }

  #snapshot(): string {
    const status = this.#status();
    const history = this.#history.toJSON();
    const snapshot: Snapshot = { history, job: jobRow(status), workers: status.workers.map(workerRow) };
    return this.#message("snapshot", snapshot, history.next);
  }

  /** Since it was last asked; empty where there is nothing. */
  #news(): string {
    const status = this.#status();
    const { next } = this.#history.facts;
    const events = this.#eventsFrom(this.#next, next);
    const row = jobRow(status);
    const job = JSON.stringify(row);
    const isChanged = job !== this.#job;
    const { workers, gone } = this.#rowNews(status);
    if (next === this.#next && !isChanged && workers.length === 0 && gone.length === 0) return "";
    this.#next = next;
    this.#job = job;
    return this.#message("delta", { events, next, job: isChanged ? row : null, workers, gone }, next);
  }

  #rowNews({ workers }: JobStatus): { workers: WorkerRow[]; gone: string[] } {
    const now = performance.now();
    if (now - this.#rowsAtMs < (1_000 * workers.length) / rowsPerSecond) return { workers: [], gone: [] };
    this.#rowsAtMs = now;
    const rows = workers.map(workerRow);
    const texts = new Map(rows.map((row) => [row.worker, JSON.stringify(row)]));
    const changed = rows.filter(({ worker }) => this.#rows.get(worker) !== texts.get(worker));
    const gone = [...this.#rows.keys()].filter((worker) => !texts.has(worker));
    this.#rows = texts;
    return { workers: changed, gone };
  }

  #eventsFrom(from: number, to: number): [number, ProgressEvent][] {
    return this.#log.events.slice(from, to).flatMap((event, at) => {
      const kept = slim(event);
      return kept ? [[from + at, kept] as [number, ProgressEvent]] : [];
    });
  }

  /** When the run began tells it from others that were served at this address. */
  get #run(): number {
    return this.#log.events[0]?.atMs ?? 0;
  }

  #message(kind: "snapshot" | "delta", data: Snapshot | Delta, next: number): string {
    return `id: ${placeText(this.#run, next)}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
