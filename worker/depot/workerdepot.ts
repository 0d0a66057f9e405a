/** A worker's side of the depot: its checkpoints and models on their way there, and checkpoints on their way back. */
import { basename, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type BackoffPolicy, backoffMs } from "../../core/backoff.ts";
import { asLimbeckError } from "../../core/errors.ts";
import { checkpointStep, checkpointsFolder } from "../../core/manifest.ts";
import type { Stage } from "../../core/stages.ts";
import { type Depot, within } from "../../proto/depot/depot.ts";
import { type DepotOptions, openDepot } from "../../proto/depot/open.ts";
import { type LatestCheckpoint, manifestName, type WantedCheckpoint } from "../artifacts/checkpoint.ts";
import { isSameCheckpoint } from "../artifacts/sealed.ts";
import type { Status } from "../context.ts";
import { putFolder } from "./folder.ts";
import { checkpointsIn, fetchNewest } from "./restore.ts";
import { Uploads } from "./uploads.ts";

/** L7. For a depot that is away when something is wanted of it; below the coordinator's patience with who gets ready. */
const awayMs = 120_000;
/** For what is on its way when a stage's models are written. */
const exportMs = 60_000;
/** The same, when the worker goes. */
const goingMs = 15_000;
const fetchBackoff: BackoffPolicy = { firstMs: 250, longestMs: 5_000 };

export interface WorkerDepotOptions {
  readonly url: string;
  /** The job's part of it. */
  readonly depot: Depot;
  readonly status: Pick<Status, "waitingFor">;
}

/** The job's part of the depot at this URL. @throws as `openDepot` */
export async function openWorkerDepot({
  url,
  folder,
  ...options
}: Pick<WorkerDepotOptions, "url" | "status"> & DepotOptions & { readonly folder: string }): Promise<WorkerDepot> {
  const depot = await openDepot(url, options);
  return new WorkerDepot({ url, status: options.status, depot: { ...within(depot, folder), close: depot.close } });
}

export class WorkerDepot {
  readonly url: string;
  readonly #depot: Depot;
  readonly #status: WorkerDepotOptions["status"];
  readonly #uploads: Uploads;
  /** The job goes on in spite of it. */
  onWarning: (why: string) => void = () => {};

  constructor({ url, depot, status }: WorkerDepotOptions) {
    this.url = url;
    this.#depot = depot;
    this.#status = status;
    this.#uploads = new Uploads({ warn: (why) => this.onWarning(why) });
  }

  /** Names of checkpoints that are on their way: their folders must stay. */
  get spared(): ReadonlySet<string> {
    return this.#uploads.pending;
  }

  /** A checkpoint lies whole in `folder`. @param sent told when the depot has it, where no newer one came first */
  saved(folder: string, { stage, keep }: { readonly stage: Stage; readonly keep: number }, sent: () => void): void {
    const name = basename(folder);
    this.#uploads.add({
      lane: stage,
      what: name,
      sent,
      send: async (signal) => {
        const key = `${checkpointsFolder}/${name}`;
        await putFolder(this.#depot, { folder, key, seal: manifestName, isSame: isSameCheckpoint }, signal);
        await this.#prune(stage, keep, signal);
      },
    });
  }

  /**
   * Models lie whole in their folders. Resolves when the depot has them and what was on its way before, or it is too late:
   * then they get there while the job goes on.
   */
  async exported(runFolder: string, models: readonly string[], signal: AbortSignal): Promise<void> {
    for (const model of models) {
      const put = { folder: join(runFolder, model), key: model, seal: "model.json" };
      this.#uploads.add({
        lane: model,
        what: `${model}/`,
        sent: () => {},
        send: (ending) => putFolder(this.#depot, put, ending),
      });
    }
    const { waitingFor } = this.#status;
    const pendingText = () => [...this.#uploads.pending].join(", ");
    this.#status.waitingFor = () => `the depot to take ${pendingText()}`;
    const isThere = await this.#uploads.settled(exportMs, signal);
    this.#status.waitingFor = waitingFor;
    if (!isThere)
      this.onWarning(
        `the depot has not taken ${pendingText()}: it gets them as soon as it can, while this worker lives`,
      );
  }

  /** Fetched into `root`. @throws LimbeckError `unavailable` where the depot is away for longer than it is waited for */
  async newest(root: string, stage: Stage, wanted: WantedCheckpoint): Promise<LatestCheckpoint> {
    return await this.#patiently(() => fetchNewest(this.#depot, { root, stage, wanted }));
  }

  /** Removes the checkpoints of a stage from a step on, also those on their way. Others may be at it, too. */
  async dropCheckpoints(stage: Stage, from: number): Promise<void> {
    await this.#uploads.drop(({ lane, what }) => lane === stage && checkpointStep(stage, what)! >= from);
    await this.#patiently(async () => {
      for (const { name, step } of await checkpointsIn(this.#depot, stage)) if (step >= from) await this.#remove(name);
    });
  }

  /** What this worker would still send is not to be believed: it was thrown out. */
  forget(): void {
    void this.#uploads.drop(() => true);
  }

  /** L7. What is on its way gets there first, where that does not last too long. */
  async close(): Promise<void> {
    const isThere = await this.#uploads.settled(goingMs);
    if (!isThere) await this.#uploads.drop(() => true);
    await this.#depot.close();
  }

  /** All but the newest `keep` whole ones, and what dead writers left behind those. */
  async #prune(stage: Stage, keep: number, signal: AbortSignal): Promise<void> {
    const all = await checkpointsIn(this.#depot, stage, signal);
    const oldest = all.filter(({ isWhole }) => isWhole)[keep - 1];
    for (const { name, step } of all) if (oldest && step < oldest.step) await this.#remove(name, signal);
  }

  /** The manifest first: what is left of one is none. */
  async #remove(name: string, signal?: AbortSignal): Promise<void> {
    const key = `${checkpointsFolder}/${name}`;
    await this.#depot.removeOne(`${key}/${manifestName}`, signal);
    await this.#depot.remove(key, signal);
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { waitingFor } = this.#status;
    const startedMs = performance.now();
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await work();
        } catch (thrown) {
          const { code, message } = asLimbeckError(thrown);
          if (code !== "unavailable" || performance.now() - startedMs > awayMs) throw thrown;
          this.#status.waitingFor = () => message;
          await setTimeout(backoffMs(fetchBackoff, attempt, Math.random()));
        }
      }
    } finally {
      this.#status.waitingFor = waitingFor;
    }
  }
}
